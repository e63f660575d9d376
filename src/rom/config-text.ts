/** The text of a config, out of its bytes. */
import { isUtf8 } from "node:buffer";
import { visible } from "../visible.js";
import type { Finding } from "./findings.js";

export type DecodedText =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "bad"; readonly problem: Finding };

// What can't stand in YAML as it is (YAML 1.2.2 §5.1). The vendor's tool doesn't take U+007F either.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/;

/** UTF-8, with a byte order mark or without, and without control characters. */
export function decodeText(bytes: Uint8Array): DecodedText {
  if (!isUtf8(bytes)) return { kind: "bad", problem: notUtf8(bytes) };
  const text = new TextDecoder("utf-8").decode(bytes);
  const at = text.search(CONTROL);
  if (at === -1) return { kind: "text", text };
  const message = `A control character, ${visible(text.charAt(at))}, can't stand here: take it out, or write it as an escape between double quotation marks.`;
  return { kind: "bad", problem: { code: "ENCODING", ...placeAfter(text.slice(0, at)), message } };
}

function notUtf8(bytes: Uint8Array): Finding {
  const before = new TextDecoder("utf-8").decode(bytes.subarray(0, validLength(bytes)), { stream: true });
  return { code: "ENCODING", ...placeAfter(before), message: "This isn't UTF-8: save the file in that encoding." };
}

/** How many bytes from the beginning are UTF-8, the last character of which may be cut off. */
function validLength(bytes: Uint8Array): number {
  let good = 0;
  let wrong = bytes.length + 1;
  while (wrong - good > 1) {
    const middle = Math.floor((good + wrong) / 2);
    if (beginsUtf8(bytes.subarray(0, middle))) good = middle;
    else wrong = middle;
  }
  return good;
}

function beginsUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

function placeAfter(before: string): { line: number; column: number } {
  const lastBreak = before.lastIndexOf("\n");
  return { line: before.split("\n").length, column: before.length - lastBreak };
}
