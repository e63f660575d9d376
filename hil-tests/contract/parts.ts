/** SPEC §5.1 and §7.5: a read that begins at an offset, of an image that must still be the same. */
import { expect, test } from "vitest";
import { codeOf, framesSent } from "./calls.js";
import { expectAnswers, sha256, whole } from "./reading.js";
import { largeImage, type Subject, smallImage } from "./subject.js";

export function parts(subject: Subject): void {
  test("from an offset comes the rest, down to nothing at the end", async (context) => {
    await using dock = await subject.open();
    const { tag, size } = await largeImage(subject, context, dock);
    const { data } = await dock.images.get(tag);
    for (const from of [0, 1, Math.floor(size / 2), size - 1, size]) {
      const rest = await whole(dock.images.stream(tag, { from }));
      expect([from, rest.equals(data.subarray(from))]).toEqual([from, true]);
    }
  });

  test("the rest comes with the SHA-256 of the whole, where the dock knows it", async (context) => {
    await using dock = await subject.open();
    const { tag, size } = await smallImage(subject, context, dock);
    const { data, sha256: known } = await dock.images.get(tag);
    if (known === undefined) return context.skip("this dock doesn't know the SHA-256 of its images");
    const from = Math.floor(size / 2);
    const rest = await whole(dock.images.stream(tag, { from, ifSha256: known.toUpperCase() }));
    expect(rest.equals(data.subarray(from))).toBe(true);
  });

  test("from an offset goes with a token", async (context) => {
    await using dock = await subject.open();
    const { tag, size } = await smallImage(subject, context, dock);
    const { data } = await dock.images.get(tag);
    const rest = await whole(dock.images.stream(await dock.images.getToken(tag), { from: size - 1 }));
    expect(rest.equals(data.subarray(size - 1))).toBe(true);
  });

  test("another SHA-256 is CHANGED, from any offset", async (context) => {
    await using dock = await subject.open();
    const { tag, size } = await smallImage(subject, context, dock);
    const ifSha256 = sha256(Buffer.from("another image"));
    expect(await codeOf(whole(dock.images.stream(tag, { ifSha256 })))).toBe("CHANGED");
    expect(await codeOf(whole(dock.images.stream(tag, { from: size, ifSha256 })))).toBe("CHANGED");
    await expectAnswers(dock);
  });

  test("an offset beyond the end is INVALID", async (context) => {
    await using dock = await subject.open();
    const { tag, size } = await smallImage(subject, context, dock);
    expect(await codeOf(whole(dock.images.stream(tag, { from: size + 1 })))).toBe("INVALID");
    expect(await codeOf(whole(dock.images.stream(tag, { from: 2 ** 31 })))).toBe("INVALID");
    await expectAnswers(dock);
  });

  test.for([-1, 1.5, Number.NaN, 2 ** 32])("the offset %s is USAGE, and nothing is sent", async (from) => {
    await using dock = await subject.open();
    const sent = await framesSent(dock, async () => {
      expect(await codeOf(whole(dock.images.stream("a", { from })))).toBe("USAGE");
    });
    expect(sent).toBe(0);
  });

  test.for(["", "a5", "g".repeat(64), "a5".repeat(33)])("the SHA-256 %j is USAGE, and nothing is sent", async (ifSha256) => {
    await using dock = await subject.open();
    const sent = await framesSent(dock, async () => {
      expect(await codeOf(whole(dock.images.stream("a", { ifSha256 })))).toBe("USAGE");
    });
    expect(sent).toBe(0);
  });
}
