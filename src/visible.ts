/** Text that came from outside, made safe to print. */

// Control characters, lone surrogates, line separators, and what has no width or turns the direction of text.
const HIDDEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/gu;
const NAMED: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Makes what can't be seen visible, as escapes of JavaScript: `\n`, `\x1b`, `\u{202e}`. A backslash becomes two. */
export function visible(text: string): string {
  return text.replace(/\\/g, "\\\\").replace(HIDDEN, escaped);
}

/** As `visible`, but leaves a backslash alone: for text in which it may stand for itself already, such as a message. */
export function printable(text: string): string {
  return text.replace(HIDDEN, escaped);
}

/** The same between quotation marks, for names in messages. */
export function quoted(text: string): string {
  return `"${visible(text)}"`;
}

function escaped(character: string): string {
  const named = NAMED[character];
  if (named !== undefined) return named;
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}
