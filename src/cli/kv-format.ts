/** In which form keys and their values are exported and imported. */
import { basename } from "node:path";
import { Option } from "commander";

export type ValueFormat = "json" | "env";

export function formatOption(): Option {
  const description =
    "json, in the notation of `dl7450 kv get --json`, or env; unless told, what the file's name says, else json";
  return new Option("--format <format>", description).choices(["json", "env"]);
}

/** What was told, or else what the name of a file says. */
export function formatOf(file: string, told: ValueFormat | undefined): ValueFormat | undefined {
  if (told !== undefined) return told;
  const name = basename(file).toLowerCase();
  if (name.endsWith(".json")) return "json";
  return name === ".env" || name.startsWith(".env.") || name.endsWith(".env") ? "env" : undefined;
}
