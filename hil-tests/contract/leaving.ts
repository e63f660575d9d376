/** SPEC §4.4: calls and streams that are left before their end. The dock must be there for the next. */
import { expect } from "vitest";
import { allOf, CALLS, codeOf, codesOf, framesSent } from "./calls.js";
import { contractTest } from "./contract-test.js";
import { all, expectAnswers, HUGE, largeImage } from "./reading.js";

export function leaving(): void {
  contractTest("a stream that is aborted ends with ABORTED and the reason, and the dock goes on", async ({ open, found }) => {
    const dock = await open();
    const { tag } = await largeImage(found, dock);
    const controller = new AbortController();
    const reason = new Error("enough");
    const read = async (): Promise<void> => {
      for await (const _ of dock.images.stream(tag, { signal: controller.signal })) controller.abort(reason);
    };
    await expect(read()).rejects.toMatchObject({ code: "ABORTED", cause: reason });
    await expectAnswers(dock);
    expect(await codeOf(dock.images.get(tag))).toBeUndefined();
  });

  contractTest(
    "a loop over a stream can be left after any piece, more often than there is room for streams",
    async ({ open, found }) => {
      const dock = await open();
      const { tag, size } = await largeImage(found, dock, HUGE);
      for (let pieces = 1; pieces <= 2 * dock.limits.streams; pieces++) {
        let left = pieces;
        for await (const _ of dock.images.stream(tag)) if (--left === 0) break;
      }
      expect((await dock.images.get(tag)).data.length).toBe(size);
    },
  );

  contractTest("a stream that was only asked what it is can be cancelled", async ({ open, found }) => {
    const dock = await open();
    const { tag, size } = await largeImage(found, dock, HUGE);
    for (let i = 0; i < 2 * dock.limits.streams; i++) {
      const stream = dock.images.stream(tag);
      expect(await stream.info()).toMatchObject({ size });
      await stream.cancel();
      expect(await codeOf(all(stream))).toBe("USAGE");
    }
    expect((await dock.images.get(tag)).data.length).toBe(size);
  });

  contractTest("aborting one stream leaves another alone", async ({ open, found }) => {
    const dock = await open();
    const { tag } = await largeImage(found, dock);
    const controller = new AbortController();
    const onProgress = (): void => controller.abort();
    const [aborted, other] = await Promise.all([
      codeOf(dock.images.get(tag, { signal: controller.signal, onProgress })),
      dock.images.get(tag),
    ]);
    expect(aborted).toBe("ABORTED");
    expect(Buffer.compare(other.data, (await dock.images.get(tag)).data)).toBe(0);
  });

  contractTest("calls that are aborted while they are under way are ABORTED, and the dock goes on", async ({ open }) => {
    const dock = await open();
    const controller = new AbortController();
    const codes = codesOf(CALLS, dock, { signal: controller.signal });
    controller.abort();
    expect(await codes).toEqual(allOf(CALLS, "ABORTED"));
    await expectAnswers(dock);
  });

  contractTest("calls that were aborted before are ABORTED, and nothing is sent", async ({ open }) => {
    const dock = await open();
    const sent = await framesSent(dock, async () => {
      expect(await codesOf(CALLS, dock, { signal: AbortSignal.abort() })).toEqual(allOf(CALLS, "ABORTED"));
    });
    expect(sent).toBe(0);
    await expectAnswers(dock);
  });

  contractTest("opening that was aborted before is ABORTED, and the dock can be opened", async ({ open }) => {
    expect(await codeOf(open({ signal: AbortSignal.abort() }))).toBe("ABORTED");
    await using dock = await open();
    await expectAnswers(dock);
  });

  contractTest("opening that is aborted in the handshake is ABORTED, and the dock can be opened", async ({ open }) => {
    const controller = new AbortController();
    const trace = (): void => queueMicrotask(() => controller.abort());
    expect(await codeOf(open({ signal: controller.signal, trace }))).toBe("ABORTED");
    await using dock = await open();
    await expectAnswers(dock);
  });
}
