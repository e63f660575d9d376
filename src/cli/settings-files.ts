/** Where files of settings are looked for. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { FILE_NAME } from "./settings.js";

/** Those that there are, the one that counts more first: the project's, which is in this folder or one above it, then the user's own. */
export async function settingsFiles(): Promise<string[]> {
  const [{ findUp }, { default: envPaths }] = await Promise.all([import("find-up-simple"), import("env-paths")]);
  const project = await findUp(FILE_NAME);
  const user = join(envPaths("dl7450", { suffix: "" }).config, FILE_NAME);
  return [...(project === undefined ? [] : [project]), ...(user !== project && existsSync(user) ? [user] : [])];
}
