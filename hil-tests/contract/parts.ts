/** SPEC §5.1 and §7.5: a read that begins at an offset, of an image that must still be the same. */
import { expect } from "vitest";
import { codeOf, framesSent } from "./calls.js";
import { contractTest } from "./contract-test.js";
import { expectAnswers, largeImage, sha256, smallImage, whole } from "./reading.js";

export function parts(): void {
  contractTest("from an offset comes the rest, down to nothing at the end", async ({ dock, found }) => {
    const { tag, size } = await largeImage(found, dock);
    const { data } = await dock.images.get(tag);
    for (const from of [0, 1, Math.floor(size / 2), size - 1, size]) {
      const rest = await whole(dock.images.stream(tag, { from }));
      expect([from, rest.equals(data.subarray(from))]).toEqual([from, true]);
    }
  });

  contractTest("the rest comes with the SHA-256 of the whole, where the dock knows it", async ({ dock, found, skipFor }) => {
    const { tag, size } = await smallImage(found, dock);
    const { data, sha256: known } = await dock.images.get(tag);
    if (known === undefined) return skipFor("this dock doesn't know the SHA-256 of its images");
    const from = Math.floor(size / 2);
    const rest = await whole(dock.images.stream(tag, { from, ifSha256: known.toUpperCase() }));
    expect(rest.equals(data.subarray(from))).toBe(true);
  });

  contractTest("from an offset goes with a token", async ({ dock, found }) => {
    const { tag, size } = await smallImage(found, dock);
    const { data } = await dock.images.get(tag);
    const rest = await whole(dock.images.stream(await dock.images.getToken(tag), { from: size - 1 }));
    expect(rest.equals(data.subarray(size - 1))).toBe(true);
  });

  contractTest("another SHA-256 is CHANGED, from any offset", async ({ dock, found }) => {
    const { tag, size } = await smallImage(found, dock);
    const ifSha256 = sha256(Buffer.from("another image"));
    expect(await codeOf(whole(dock.images.stream(tag, { ifSha256 })))).toBe("CHANGED");
    expect(await codeOf(whole(dock.images.stream(tag, { from: size, ifSha256 })))).toBe("CHANGED");
    await expectAnswers(dock);
  });

  contractTest("an offset beyond the end is INVALID", async ({ dock, found }) => {
    const { tag, size } = await smallImage(found, dock);
    expect(await codeOf(whole(dock.images.stream(tag, { from: size + 1 })))).toBe("INVALID");
    expect(await codeOf(whole(dock.images.stream(tag, { from: 2 ** 31 })))).toBe("INVALID");
    await expectAnswers(dock);
  });

  contractTest.for([-1, 1.5, Number.NaN, 2 ** 32])("the offset %s is USAGE, and nothing is sent", async (from, { dock }) => {
    const sent = await framesSent(dock, async () => {
      expect(await codeOf(whole(dock.images.stream("a", { from })))).toBe("USAGE");
    });
    expect(sent).toBe(0);
  });

  contractTest.for(["", "a5", "g".repeat(64), "a5".repeat(33)])(
    "the SHA-256 %j is USAGE, and nothing is sent",
    async (ifSha256, { dock }) => {
      const sent = await framesSent(dock, async () => {
        expect(await codeOf(whole(dock.images.stream("a", { ifSha256 })))).toBe("USAGE");
      });
      expect(sent).toBe(0);
    },
  );
}
