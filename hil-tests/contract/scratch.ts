import type { TestContext } from "vitest";
import type { Dock, ImageType, KvValue, Layer, OpenOptions } from "../../src/index.js";
import { inTurns } from "./calls.js";
import type { Subject } from "./subject.js";
import { PREFIX, writableLayers } from "./writing.js";

export interface Need {
  /** Features without which there is nothing to test. */
  readonly features?: readonly string[];
  /** Whether the rule touches what isn't the tests' own: then what ephemeral and runtime hold is put back afterwards. */
  readonly touches?: "own names" | "anything";
  readonly open?: OpenOptions;
}

/** The dock, if this subject may be written to and can do what is needed; otherwise the test ends here. */
export async function openToWrite(subject: Subject, context: TestContext, need: Need = {}): Promise<Scratch> {
  const { features = [], touches = "own names", open } = need;
  if (subject.writes === "nothing") return context.skip("this dock isn't to be written to");
  if (touches === "anything" && subject.writes !== "anything") return context.skip("this dock is to keep what it has");
  const dock = await subject.open(open);
  const lacks = features.find((feature) => !dock.features.includes(feature));
  const [store] = writableLayers(dock);
  if (lacks === undefined && store !== undefined) {
    return new Scratch(subject, dock, store, touches === "anything" ? await contentsOf(dock) : []);
  }
  await dock.close();
  return context.skip(lacks === undefined ? "this dock can't be written" : `this dock hasn't the feature ${lacks}`);
}

export class Scratch implements AsyncDisposable {
  readonly dock: Dock;
  /** A layer to write to: the one that is asked first. */
  readonly store: Layer;
  readonly #subject: Subject;
  readonly #before: readonly LayerContents[];

  /** Made by `openToWrite`. */
  constructor(subject: Subject, dock: Dock, store: Layer, before: readonly LayerContents[]) {
    this.#subject = subject;
    this.dock = dock;
    this.store = store;
    this.#before = before;
  }

  /** Another session, since the test may have ended its own. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.dock.close();
    await using dock = await this.#subject.open();
    await deleteOwn(dock);
    for (const layer of this.#before) await putBack(dock, layer);
  }
}

/** What one layer holds. */
interface LayerContents {
  readonly store: Layer;
  readonly keys: readonly (readonly [key: string, value: KvValue])[];
  readonly images: readonly {
    readonly tag: string;
    readonly data: Uint8Array;
    readonly type: ImageType;
  }[];
}

async function contentsOf(dock: Dock): Promise<LayerContents[]> {
  const layers: LayerContents[] = [];
  for (const store of writableLayers(dock)) {
    const keys: (readonly [string, KvValue])[] = [];
    for await (const entry of dock.kv.entries({ store })) keys.push(entry);
    const tags = (await dock.images.list({ store })).map(({ tag }) => tag);
    const images = await inTurns(tags, async (tag) => ({ tag, ...(await dock.images.get(tag, { store })) }));
    layers.push({ store, keys, images });
  }
  return layers;
}

/** Makes a layer what it was: other names are deleted, and what was there is written, which costs little where it still is. */
async function putBack(dock: Dock, { store, keys, images }: LayerContents): Promise<void> {
  const kept = { keys: new Set(keys.map(([key]) => key)), tags: new Set(images.map(({ tag }) => tag)) };
  const otherKeys = (await dock.kv.list({ store })).filter(({ key }) => !kept.keys.has(key));
  await inTurns(otherKeys, ({ key }) => dock.kv.delete(key, { store }));
  const otherImages = (await dock.images.list({ store })).filter(({ tag }) => !kept.tags.has(tag));
  await inTurns(otherImages, ({ tag }) => dock.images.delete(tag, { store }));
  await inTurns(keys, ([key, value]) => dock.kv.set(key, value, { store }));
  for (const { tag, data, type } of images) await dock.images.put(tag, data, { store, type });
}

/** Deletes all names of tests, also those that a run before has left. What stands behind one shows once that is gone. */
async function deleteOwn(dock: Dock): Promise<void> {
  const confirm = dock.name;
  for (;;) {
    const keys = (await dock.kv.list()).filter(({ key, store }) => key.startsWith(PREFIX) && canWrite(dock, store));
    const images = (await dock.images.list()).filter(({ tag, store }) => tag.startsWith(PREFIX) && canWrite(dock, store));
    if (keys.length + images.length === 0) return;
    await inTurns(keys, ({ key, store }) => dock.kv.delete(key, { store, confirm }));
    await inTurns(images, ({ tag, store }) => dock.images.delete(tag, { store, confirm }));
  }
}

function canWrite(dock: Dock, store: Layer): boolean {
  return dock.features.includes(`write.${store}`);
}
