import { codeOf } from "../platform/errors.ts";
import { runCli } from "./run.ts";
import { processTerminal } from "./terminal.ts";

// Databases and keys are nobody else's on this machine.
process.umask(0o077);
// Who reads no further, as `head` does, has what was wanted.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error) => {
    if (codeOf(error) !== "EPIPE") throw error;
  });
}
runCli(process.argv.slice(2), processTerminal()).then((code) => {
  // Rather than an exit: what is still being written to a pipe gets there.
  process.exitCode = code;
});
