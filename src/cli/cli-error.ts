/** What goes wrong in the command line itself, beside the driver's `DockError`. */
import { outputMessage } from "../output-message.js";
import type { CliErrorCode } from "./exit-codes.js";

export class CliError extends Error {
  override readonly name = "CliError";
  readonly code: CliErrorCode;

  constructor(code: CliErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** `name` couldn't be written. */
export function outputError(name: string, cause: unknown): CliError {
  return new CliError("OUTPUT", outputMessage(name, cause), cause);
}
