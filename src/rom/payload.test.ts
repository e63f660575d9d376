import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkConfig, type RomConfig } from "./check-config.js";
import { type PayloadOptions, payload } from "./payload.js";
import { configFolder, PROGRAM, png, SAMPLE } from "./testing/config-folder.js";

const DOCK_ID = "0123456789abcdef".repeat(4);

async function configIn(folder: string): Promise<RomConfig> {
  const checked = await checkConfig(join(folder, "config.yaml"));
  if (checked.kind !== "good") throw new Error("the config isn't good");
  return checked.config;
}

async function textOf(config: RomConfig, options?: PayloadOptions): Promise<string> {
  let text = "";
  for await (const part of payload(config, options)) text += part;
  return text;
}

test("has the shape that the vendor documents", async () => {
  const folder = await configFolder();
  expect(JSON.parse(await textOf(await configIn(folder), { dockId: DOCK_ID }))).toEqual({
    data: {
      type: "applicationRomStore",
      attributes: {
        dockId: DOCK_ID,
        code: { code: Buffer.from(PROGRAM).toString("base64") },
        images: { default: { type: "PNG", data: Buffer.from(png()).toString("base64") } },
        kvStore: { dock_name: "IoT Demo Dock", timezone: "GMT" },
      },
    },
  });
});

test("of an empty config has everything, empty, and no dock unless told", async () => {
  const config = await configIn(await configFolder({ "config.yaml": "{}" }));
  expect(JSON.parse(await textOf(config))).toEqual({
    data: { type: "applicationRomStore", attributes: { code: { code: "" }, images: {}, kvStore: {} } },
  });
});

test("comes in parts, so that an image isn't there twice", async () => {
  const large = png(1000, 400);
  const bytes = Buffer.concat([large, Buffer.alloc(1_000_001, 7)]);
  const config = await configIn(await configFolder({ "background.png": bytes }));
  const lengths: number[] = [];
  for await (const part of payload(config)) lengths.push(part.length);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(64 * 1024);
  const parsed: unknown = JSON.parse(await textOf(config));
  expect(parsed).toMatchObject({ data: { attributes: { images: { default: { data: bytes.toString("base64") } } } } });
});

test("is ASCII on one line, whatever the names are", async () => {
  const names = '  "\\u202e\\e\\" é\\U0001F600": "\\u2028\\x7f"\n  "__proto__": v\n';
  const text = await textOf(await configIn(await configFolder({ "config.yaml": `kv_store:\n${names}` })));
  expect(text).toMatch(/^[\x20-\x7e]*\n$/);
  const kvStore: unknown = JSON.parse(text).data.attributes.kvStore;
  expect(Object.entries(kvStore ?? {})).toEqual([
    ['\u202e\u001b" é😀', "\u2028\u007f"],
    ["__proto__", "v"],
  ]);
});

test.each([
  ["image", "background.png"],
  ["program", "app.py"],
])("fails with CHANGED when the %s isn't what was checked, and gives nothing of it", async (_, name) => {
  const folder = await configFolder({ "config.yaml": SAMPLE });
  const config = await configIn(folder);
  const bytes = await readFile(join(folder, name));
  await writeFile(join(folder, name), bytes.fill(7));
  await expect(textOf(config)).rejects.toMatchObject({ code: "CHANGED", message: expect.stringContaining(name) });
});

test("is ABORTED by its signal", async () => {
  const config = await configIn(await configFolder());
  await expect(textOf(config, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
});
