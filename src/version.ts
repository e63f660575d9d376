import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";

/** The folder that this package is installed in. */
export const packageFolder = findPackage(dirname(fileURLToPath(import.meta.url)));

/** The version of this package. */
export const { version } = v.parse(
  v.object({ version: v.string() }),
  JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")),
);

function findPackage(folder: string): string {
  return existsSync(join(folder, "package.json")) ? folder : findPackage(dirname(folder));
}
