/** A state folder for a test, and a dock that lives in it for a while. */
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { DockModel, PROFILES, type ProfileName } from "../dock.js";
import { StateFolder, type StateOptions } from "../state.js";

export const CONTENT = Buffer.from("any bytes");
export const OTHER = Buffer.from("other bytes");

/** A path where nothing is yet; what a test makes there goes with the test. */
export function newFolder(): string {
  const parent = mkdtempSync(join(tmpdir(), "dl7450-state-"));
  onTestFinished(() => rmSync(parent, { recursive: true }));
  return join(parent, "state");
}

export function manifestOf(folder: string): string {
  return join(folder, "manifest.json");
}

export function contentFile(folder: string, bytes: Uint8Array): string {
  return join(folder, "content", hex(bytes));
}

/** The names of all contents that there are. */
export function contentsOf(folder: string): string[] {
  return readdirSync(join(folder, "content")).sort();
}

export function hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Puts an image of no type into runtime. */
export function put(dock: DockModel, tag: string, bytes: Uint8Array): void {
  dock.putImage("runtime", tag, "none", bytes, createHash("sha256").update(bytes).digest());
}

/** Works with the dock whose state is in a folder, then ends it. */
export async function withDock<T>(
  folder: string,
  work: (dock: DockModel) => T,
  { profile = "full", ...options }: StateOptions & { readonly profile?: ProfileName } = {},
): Promise<T> {
  const state = await StateFolder.open(folder, options);
  try {
    return work(new DockModel(PROFILES[profile], "MOCK-0001", { state }));
  } finally {
    await state.close();
  }
}

/** A folder that has a key and an image in each layer that is kept. */
export async function filledFolder(): Promise<string> {
  const folder = newFolder();
  await withDock(folder, (dock) => {
    dock.fillKey("factory", "token", { value: "abc", upd: true });
    dock.fillImage("factory", "default", "png", CONTENT);
    dock.setKey("runtime", "zone", "GMT");
    put(dock, "logo", OTHER);
    dock.save();
  });
  return folder;
}
