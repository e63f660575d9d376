/** What is said where the system couldn't write something. Loads nothing: the command line needs it before it needs a dock. */

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
export function outputMessage(name: string, cause: unknown): string {
  const reason = REASONS[systemCode(cause) ?? ""] ?? (cause instanceof Error ? cause.message : String(cause));
  return `${name} can't be written: ${reason}.`;
}

/** The code of an error of the system, such as `ENOENT`. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
