/** JSON that is safe to print. */
import { visible } from "./visible.js";

/** `value` as JSON, where everything that can't be seen is an escape: JSON.stringify leaves much of it raw. */
export function jsonText(value: object | string, indent = 0): string {
  // The line breaks are those of the indentation: in text they are escapes already, as all of C0 and the lone surrogates are.
  return JSON.stringify(value, null, indent).replace(/[^\x20-\x7e\n]/gu, (character) =>
    visible(character) === character ? character : escapes(character),
  );
}

function escapes(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}
