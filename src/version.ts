import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder that this package is installed in. */
export const packageFolder = findPackage(dirname(fileURLToPath(import.meta.url)));

/** The version of this package. */
export const version = versionIn(JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")));

function versionIn(description: unknown): string {
  const isObject = typeof description === "object" && description !== null;
  if (isObject && "version" in description && typeof description.version === "string") return description.version;
  throw new Error("the package has no version");
}

function findPackage(folder: string): string {
  return existsSync(join(folder, "package.json")) ? folder : findPackage(dirname(folder));
}
