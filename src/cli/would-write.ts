/** What a write would come to, looked up without writing: whether it would be refused, and whether it would change anything. */
import type { Dock, KvValue, PutImage, WriteOptions } from "../index.js";
import { sameValue } from "../kv-value.js";
import { checkName } from "../layers.js";
import { checkValueSize } from "../writing.js";

/** Whether setting a key would change it. Fails as it would, as far as the dock needn't be asked to. */
export async function wouldSet(dock: Dock, key: string, value: KvValue, to: WriteOptions): Promise<boolean> {
  checkName("key", key, dock.limits);
  checkValueSize(value, dock.limits);
  const is = await dock.kv.find(key, to);
  return is === undefined || !sameValue(is.value, value);
}

/** Whether putting an image would change it. Fails as it would, as far as the dock needn't be asked to. */
export async function wouldPut(dock: Dock, tag: string, image: Omit<PutImage, "store">, to: WriteOptions): Promise<boolean> {
  checkName("tag", tag, dock.limits);
  const is = (await dock.images.list(to)).find((it) => it.tag === tag);
  return is === undefined || is.sha256 !== image.sha256 || is.type !== image.type || is.size !== image.size;
}
