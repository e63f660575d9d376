/** A folder with a config and the files that it names. */
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PNG } from "pngjs";
import { onTestFinished } from "vitest";

/** What the vendor documents, with files that are there in a folder of `configFolder`. */
export const SAMPLE = `images:
  default:
    path: \${CONFIG_PATH}/background.png     # \${CONFIG_PATH}: the folder of this file
    type: png                               # png, bmp or jpeg
kv_store:
  "dock_name": "IoT Demo Dock"              # strings only, keys and values
  "timezone": "GMT"
code:
  path: \${CONFIG_PATH}/app.py
`;

export const PROGRAM = "print('hello')\n";

/** A PNG of one colour. */
export function png(width = 1920, height = 1080): Uint8Array {
  return PNG.sync.write(new PNG({ width, height, colorType: 0 }), { colorType: 0, deflateLevel: 1 });
}

const background = png();

/** A folder that the test has for itself: `background.png`, `app.py`, and `files`. Gives its path. */
export async function configFolder(files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<string> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), "dl7450-rom-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const all = { "background.png": background, "app.py": PROGRAM, "config.yaml": SAMPLE, ...files };
  for (const [name, content] of Object.entries(all)) await writeFile(join(folder, name), content);
  return folder;
}
