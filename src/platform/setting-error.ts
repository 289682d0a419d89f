import { diskTodo } from "./disk.ts";
import { codeOf } from "./errors.ts";

/** What a setting names cannot be used. The message begins with the setting and has its value; `todo` says what to do. */
export class SettingError extends Error {
  override readonly name = "SettingError";

  constructor(
    message: string,
    readonly todo: string,
    cause: unknown,
  ) {
    super(message, { cause });
  }
}

/** What to do about a file that cannot be used: make room where its disk is at fault, and the given thing otherwise. */
export function roomOr(todo: string, error: unknown): string {
  return diskTodo(error) ?? todo;
}

/** Works with a file of ours in `DATA_DIR`. @throws SettingError with what went wrong */
export function inDataDir<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof SettingError) throw error;
    throw new SettingError(
      `DATA_DIR: ${path} cannot be used`,
      roomOr(
        "Let the user that Ponte runs as own the file and write in its folder, or set DATA_DIR to a folder where it may.",
        error,
      ),
      error,
    );
  }
}

/** An address that Ponte cannot listen on. */
export function listenError(
  { host, port }: { readonly host: string; readonly port: number },
  cause: unknown,
): SettingError {
  switch (cause instanceof Error ? codeOf(cause) : "") {
    case "EADDRINUSE":
      return new SettingError(
        `PORT: ${port} is taken on ${host}`,
        "Stop the program that listens there, or set PORT to another.",
        cause,
      );
    case "EACCES":
      return new SettingError(
        `PORT: ${port} may not be listened on`,
        "Ports below 1024 are the administrator's: set PORT to another, behind a reverse proxy.",
        cause,
      );
    default:
      return new SettingError(
        `HOST: ${host} is no address to listen on`,
        "Set HOST to an address of this machine, or to 0.0.0.0 for all of them.",
        cause,
      );
  }
}
