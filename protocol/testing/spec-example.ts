/** The example of SPEC §1.2, as it stands there: a body, and the line that it goes out as, in hexadecimal. */
import { readFileSync } from "node:fs";

export function exampleOfSpec(): { readonly body: string; readonly crc: string; readonly line: string } {
  const text = readFileSync(new URL("../SPEC.md", import.meta.url), "utf8");
  return { body: hexAfter("body", text), crc: hexAfter("crc", text), line: hexAfter("line", text) };
}

function hexAfter(name: string, text: string): string {
  const [, hex] = new RegExp(`^${name} +([0-9a-f ]+)$`, "m").exec(text) ?? [];
  if (hex === undefined) throw new Error(`SPEC.md has no line ${name} of hexadecimal digits`);
  return hex.replaceAll(" ", "");
}
