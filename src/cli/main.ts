import { runCli } from "./run.ts";
import { processTerminal } from "./terminal.ts";

// Databases and keys are nobody else's on this machine.
process.umask(0o077);
// A code rather than an exit: what is still being written to a pipe gets there.
process.exitCode = await runCli(process.argv.slice(2), processTerminal());
