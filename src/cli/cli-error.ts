/** What goes wrong in the command line itself, beside the driver's `DockError`. */
import type { CliErrorCode } from "./exit-codes.js";

export class CliError extends Error {
  override readonly name = "CliError";
  readonly code: CliErrorCode;

  constructor(code: CliErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "your share of the disk is full",
  ENOENT: "its folder doesn't exist",
  ENOTDIR: "its folder isn't one",
  EISDIR: "it is a folder",
  EACCES: "you may not write there",
  EPERM: "you may not write there",
  EROFS: "the disk is read-only",
  ENAMETOOLONG: "its name is too long",
  EPIPE: "its reader has gone away",
};

/** Why `name` couldn't be written, out of what the system said. */
export function outputError(name: string, cause: unknown): CliError {
  const reason = REASONS[systemCode(cause) ?? ""] ?? (cause instanceof Error ? cause.message : String(cause));
  return new CliError("OUTPUT", `${name} can't be written: ${reason}.`, cause);
}

/** The code of an error of the system, such as `ENOENT`. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
