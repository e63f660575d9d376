/** Keys and values as a .env file has them: text alone, under names that a shell could have. */
import type { KvValue } from "../index.js";
import { quoted } from "../visible.js";
import { CliError } from "./cli-error.js";

/** As dotenv reads names. */
const NAME = /^[\w.-]+$/;

/** A line for each. Fails with `USAGE`, and names those that such a file has no form for. */
export async function envText(values: readonly (readonly [key: string, value: KvValue])[]): Promise<string> {
  const { parse } = await import("dotenv");
  const lines: string[] = [];
  const impossible: string[] = [];
  for (const [key, value] of values) {
    const line = formsOf(key, value).find((form) => parse(form)[key] === value);
    if (line === undefined) impossible.push(key);
    else lines.push(`${line}\n`);
  }
  const text = lines.join("");
  const readBack = parse(text);
  for (const [key, value] of values) if (readBack[key] !== value && !impossible.includes(key)) impossible.push(key);
  if (impossible.length === 0) return text;
  const message = `A .env file has text alone, under names of letters, digits, _, - and .: it can't have ${impossible.map(quoted).join(", ")}. --format json can.`;
  throw new CliError("USAGE", message);
}

/** The ways to write it, the plainest first: which of them is read back as it is depends on what is in it. */
function formsOf(key: string, value: KvValue): string[] {
  if (typeof value !== "string" || !NAME.test(key)) return [];
  const escaped = value.replaceAll("\n", "\\n").replaceAll("\r", "\\r");
  const quotedForms = [`'${value}'`, `"${escaped}"`, `\`${value}\``];
  // A quotation mark that begins a line may end in another one.
  const forms = /['"`]/.test(value) ? quotedForms : [value, ...quotedForms];
  return forms.map((form) => `${key}=${form}`);
}

/** What a .env file has. As everywhere, lines that are none of its own are passed over. */
export async function envValues(text: string): Promise<[key: string, value: string][]> {
  const { parse } = await import("dotenv");
  return Object.entries(parse(text));
}
