import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $ } from "bun";

const SIZE_MB = 24;
const CHUNK_BYTES = 64 * 1024;

/**
 * A disk that can be filled: a small tmpfs, where mounting is allowed. Elsewhere the server is kept from making any
 * of its files longer, which is as good as a full disk for it.
 */
export async function openDisk() {
  const folder = mkdtempSync(join(tmpdir(), "ponte-disk-"));
  const mounted = await $`mount -t tmpfs -o size=${SIZE_MB}m tmpfs ${folder}`.nothrow().quiet();
  const isMounted = mounted.exitCode === 0;
  const ballast = join(folder, "ballast");

  return {
    folder,
    kind: isMounted ? "tmpfs" : "limit on the size of files",
    /** Takes all the room that is left, from the server with this process id. */
    async fill(pid: number): Promise<void> {
      if (isMounted) {
        try {
          for (;;) writeFileSync(ballast, Buffer.alloc(CHUNK_BYTES), { flag: "a" });
        } catch (error) {
          if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
        }
        return;
      }
      const longest = Math.max(...readdirSync(folder).map((name) => statSync(join(folder, name)).size));
      await limit(pid, String(longest));
    },
    async makeRoom(pid: number): Promise<void> {
      if (isMounted) rmSync(ballast);
      else await limit(pid, "unlimited");
    },
    async remove(): Promise<void> {
      if (isMounted) await $`umount -l ${folder}`.nothrow().quiet();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The soft limit only, so that it can be lifted again. */
async function limit(pid: number, bytes: string): Promise<void> {
  await $`prlimit --pid ${pid} --fsize=${bytes}:`.quiet();
}

export type Disk = Awaited<ReturnType<typeof openDisk>>;
