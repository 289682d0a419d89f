import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

/** Where a command reads and writes. Answers go to `out`; errors, questions and progress to `err`. */
export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A person sits there: questions can be asked and progress shown. */
  readonly isInteractive: boolean;
  out(text: string): void;
  err(text: string): void;
  /** Overwrites one line with how far the work is; says nothing where nobody watches. */
  progress(text: string): void;
  confirm(question: string): Promise<boolean>;
  /**
   * One line of standard input: how a secret comes in without standing in the shell's history. A person is asked for it,
   * and what is typed is not shown.
   */
  readSecret(prompt: string): Promise<string>;
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const isInteractive = process.stdin.isTTY === true && process.stderr.isTTY === true;
  return {
    environment: process.env,
    isInteractive,
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    progress: (text) => {
      if (isInteractive) process.stderr.write(text === "" ? "\r\u001b[K" : `\r\u001b[K${text}`);
    },
    async confirm(question) {
      const prompt = createInterface({ input: process.stdin, output: process.stderr });
      const answer = await prompt.question(`${question} [y/N] `);
      prompt.close();
      return /^\s*(y|yes|s|sim)\s*$/i.test(answer);
    },
    async readSecret(prompt) {
      if (isInteractive) return askUnseen(prompt);
      for await (const line of console) return line;
      return "";
    },
  };
}

async function askUnseen(prompt: string): Promise<string> {
  process.stderr.write(`${prompt} `);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const input = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  // It takes Ctrl-C for itself.
  input.once("SIGINT", () => process.exit(130));
  const answer = await input.question("");
  input.close();
  process.stderr.write("\n");
  return answer;
}
