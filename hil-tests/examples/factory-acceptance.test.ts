/** A factory acceptance test: does a dock hold what this release is to have, and does it run the right application? */
import { dockTest } from "dl7450/vitest";
import { describe, expect } from "vitest";

/** What the release has, as `dl7450 image list --json` and `dl7450 info --json` said of the first dock that was right. These are the mock dock's. */
const RELEASE = {
  images: [
    { tag: "default", type: "png", sha256: "9f0369b866a673ce7626ddd38fb721288cfcb4cbeeba766b4c60db5784399d41" },
    { tag: "welcome", type: "bmp", sha256: "d3e6b4561ade1f091e79157d7ccfe90adc89868f00ef830dd45f9a1d4f8aa10e" },
    { tag: "meeting", type: "jpeg", sha256: "346c0824bfbe0cbbcdf5cdc0ff8fbf88fd5af51398ab8ea826a5a1efe2e0127f" },
  ],
  code: { size: 228, crc32: 1_592_914_429 },
} as const;

describe("what manufacturing has written", () => {
  dockTest.for(RELEASE.images)("the image $tag", async ({ tag, ...image }, { dock }) => {
    await expect(dock).toHaveImage(tag, { ...image, store: "factory" });
  });

  dockTest("no other images", async ({ dock, needs }) => {
    needs("stores");
    const tags = (await dock.images.list({ store: "factory" })).map(({ tag }) => tag);
    expect(tags).toEqual(RELEASE.images.map(({ tag }) => tag).toSorted());
  });

  dockTest("the time zone, and a token of the dock's own", async ({ dock }) => {
    await expect(dock).toHaveKey("timezone", "GMT");
    await expect(dock).toHaveKey("enrolment_token", expect.stringMatching(/^\S{16,}$/));
    expect(await dock.kv.find("enrolment_token")).toMatchObject({ store: "factory", upd: true });
  });
});

dockTest("it runs the application of the release", async ({ dock, needs }) => {
  needs("code");
  expect(await dock.code()).toEqual(RELEASE.code);
});

dockTest("nothing is left of what was tried at the line's end", async ({ dock }) => {
  const { stores } = await dock.info();
  expect(stores.filter(({ store, used }) => store !== "factory" && used > 0)).toEqual([]);
});
