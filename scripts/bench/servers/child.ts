import { join } from "node:path";
import { linesOf } from "../../lib/lines.ts";
import { residentMiB } from "../../lib/resident-memory.ts";

export const ROOT = join(import.meta.dir, "../../..");

/** A program of ours that runs beside the harness. */
export interface Child {
  readonly pid: number;
  isRunning(): boolean;
  readonly exited: Promise<number>;
  /** The memory it occupies now. */
  residentMiB(): number;
  /** Asks it to stop, and waits. */
  stop(): Promise<void>;
  /** `kill -9`: nothing of it runs any more. */
  kill(): Promise<void>;
}

/** A program that tells the harness something. */
interface Talker extends Child {
  /** Resolves to the next line it prints. @throws Error where it ended without one */
  line(): Promise<string>;
}

const running = new Set<Bun.Subprocess>();

/** Ends what an interrupted run would leave behind. */
export function killChildren(): void {
  for (const child of running) child.kill("SIGTERM");
}

/**
 * Starts a program in an environment that holds nothing but what is given: no setting of whoever runs the benchmark
 * reaches it. What it prints is shown on standard error.
 */
export function startChild(
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Child {
  return childOf(spawn(command, environment, process.stderr.fd));
}

/** Starts a program whose printed lines are for the harness. */
export function startTalker(command: readonly string[]): Talker {
  const process = spawn(command, {}, "pipe");
  const lines = linesOf(process.stdout);
  return {
    ...childOf(process),
    async line() {
      const next = await lines.next();
      if (next.done) throw new Error(`${command.join(" ")} ended with ${await process.exited}`);
      return next.value;
    },
  };
}

function spawn<Out extends "pipe" | number>(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
  stdout: Out,
) {
  const { PATH = "", HOME = "", TMPDIR = "/tmp" } = process.env;
  const child = Bun.spawn([...command], {
    cwd: ROOT,
    env: { PATH, HOME, TMPDIR, NODE_ENV: "production", ...environment },
    stdin: "pipe",
    stdout,
    stderr: "inherit",
  });
  running.add(child);
  void child.exited.then(() => running.delete(child));
  return child;
}

function childOf(child: Bun.Subprocess<"pipe", "pipe" | number, "inherit">): Child {
  return {
    pid: child.pid,
    exited: child.exited,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    residentMiB: () => residentMiB(child.pid),
    async stop() {
      // A shell that waits for its input notices its end sooner than the signal.
      child.stdin.end();
      child.kill("SIGTERM");
      await child.exited;
    },
    async kill() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
