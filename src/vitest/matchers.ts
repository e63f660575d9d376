/** What a test can expect of a dock: `await expect(dock).toHaveKey("timezone", "CET")`. `register-matchers.ts` gives these to `expect`. */
import type { ExpectedImage } from "./expected-image.js";
import { toHaveImage } from "./image-matcher.js";
import { type ExpectedPlace, toHaveKey } from "./key-matcher.js";
import { type ComparedLayers, toMatchSnapshotOf } from "./snapshot-matcher.js";

/** For `expect.extend`. */
export const matchers = { toHaveImage, toHaveKey, toMatchSnapshotOf };

/** What `expect(dock)` has besides. To be awaited: they ask the dock. Its errors (`LINK_LOST` and so on) pass through, after `not` as well. */
export interface DockMatchers {
  /**
   * The dock has an image of this tag, and it is what was expected; `not`: it has none that is. Of what is expected, `expect.any` and the like can
   * stand for any part but `data`. Where the dock doesn't know a SHA-256 that is expected, the image is read.
   * @example await expect(dock).toHaveImage("default", { type: "png", store: "factory" });
   */
  toHaveImage(tag: string, expected?: ExpectedImage): Promise<void>;
  /**
   * The dock has this key, with this value; `not`: it doesn't have it, or with another. Without a value, or with undefined and a layer, any will do.
   * Values are the same as they are on the dock: `1n` is 1, bytes by what they are. `expect.any` and the like can stand for any part.
   * @example await expect(dock).toHaveKey("timezone", "CET", { store: "runtime" });
   */
  toHaveKey(key: string, value?: unknown, place?: ExpectedPlace): Promise<void>;
  /**
   * The dock holds what the snapshot in a folder has, as `dl7450 snapshot diff` compares it; `not`: something differs.
   * @example await expect(dock).toMatchSnapshotOf("snapshots/release", { stores: ["factory"] });
   */
  toMatchSnapshotOf(folder: string, layers?: ComparedLayers): Promise<void>;
}
