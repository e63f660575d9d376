/** What can wait fills the line and no more, in turns, so that what can't wait is through soon. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Pacing, type SendOne } from "./pacing.js";
import { ManualClock } from "./testing/manual-clock.js";

const K = 1024;
/** Bytes that may wait at first; at least; at most. */
const ROOM = { first: 64 * K, least: 4 * K, most: 256 * K };
/** A data message, in bytes. */
const MESSAGE = 8 * K;

/** A line that takes what waits for it when a test says so. */
class Line {
  readonly clock = new ManualClock();
  readonly pacing = new Pacing(this.clock);
  /** Who has sent what waits, the first first. */
  readonly waiting: { readonly name: string; readonly bytes: number }[] = [];
  /** Who has sent something, in order. */
  readonly sent: string[] = [];
  #handedAt = 0;

  get queued(): number {
    return this.waiting.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Somebody who has so many messages to send. */
  sender(name: string, messages = Number.POSITIVE_INFINITY, bytes = MESSAGE): SendOne {
    let left = messages;
    let asked = 0;
    return () => {
      if (++asked > 10_000) throw new Error("there is no end to asking");
      if (left === 0) return "nothing";
      left--;
      this.send(name, bytes);
      return "sent";
    };
  }

  send(name: string, bytes: number): void {
    this.sent.push(name);
    if (this.waiting.length === 0) this.#handedAt = this.clock.now();
    this.waiting.push({ name, bytes });
    this.pacing.queued(bytes);
  }

  /** The line takes the next message, for which it needs so long. */
  take(ms: number): void {
    this.clock.turn(ms);
    const [next] = this.waiting.splice(0, 1);
    if (next !== undefined) this.pacing.taken(next.bytes, this.#handedAt);
  }

  takeAll(): void {
    for (let taken = 0; this.waiting.length > 0; taken++) {
      if (taken === 10_000) throw new Error("there is no end to what is sent");
      this.take(0);
    }
  }
}

describe("who wants to send", () => {
  test("is asked at once, and as long as there is room", () => {
    const line = new Line();
    line.pacing.want(line.sender("a"));
    expect(line.queued).toBe(ROOM.first);
  });

  test("is asked again when the line has taken something", () => {
    const line = new Line();
    line.pacing.want(line.sender("a"));
    line.take(0);
    expect(line.sent).toHaveLength(9);
    expect(line.queued).toBe(ROOM.first);
  });

  test("takes turns with the others, however early it came", () => {
    const line = new Line();
    line.pacing.want(line.sender("a", 16));
    line.pacing.want(line.sender("b", 8));
    line.pacing.want(line.sender("c", 8));
    line.takeAll();
    expect(line.sent.join("")).toBe("aaaaaaaaabcabcabcabcabcabcabcabc");
  });

  test("is asked once in its turn, however often it says so", () => {
    const line = new Line();
    const [a, b] = [line.sender("a", 10), line.sender("b", 2)];
    for (let i = 0; i < 5; i++) line.pacing.want(a);
    line.pacing.want(b);
    line.pacing.want(b);
    line.takeAll();
    expect(line.sent.join("")).toBe("aaaaaaaaabab");
  });

  test("and has nothing isn't asked again until it says so", () => {
    const line = new Line();
    let asked = 0;
    const idle: SendOne = () => {
      if (++asked > 100) throw new Error("there is no end to asking");
      return "nothing";
    };
    line.pacing.want(idle);
    line.pacing.want(line.sender("a", 20));
    line.takeAll();
    expect(asked).toBe(1);
    line.pacing.want(idle);
    expect(asked).toBe(2);
  });

  test("and leaves isn't asked any more, and the others go on", () => {
    const line = new Line();
    const [a, b] = [line.sender("a"), line.sender("b", 4)];
    line.pacing.want(a);
    line.pacing.want(b);
    line.pacing.leave(a);
    line.takeAll();
    expect(line.sent.join("")).toBe("aaaaaaaabbbb");
  });

  test("and leaves while it sends isn't asked any more", () => {
    const line = new Line();
    const last: SendOne = () => {
      line.send("last", MESSAGE);
      line.pacing.leave(last);
      return "sent";
    };
    line.pacing.want(last);
    line.takeAll();
    expect(line.sent).toEqual(["last"]);
  });
});

describe("what waits for the line", () => {
  test("is never more than there is room for and one message, whoever wants to send and however the line takes it", () => {
    const happening = fc.oneof(
      fc.record({ kind: fc.constant("want" as const), messages: fc.nat(20), bytes: fc.integer({ min: 1, max: MESSAGE }) }),
      fc.record({ kind: fc.constant("take" as const), ms: fc.constantFrom(0, 0.1, 1, 10, 1_000) }),
    );
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 100 }), (happenings) => {
        const line = new Line();
        for (const [i, it] of happenings.entries()) {
          if (it.kind === "want") line.pacing.want(line.sender(`sender ${i}`, it.messages, it.bytes));
          else line.take(it.ms);
          expect(line.queued).toBeLessThan(ROOM.most + MESSAGE);
        }
        const wanted = happenings.reduce((sum, it) => sum + (it.kind === "want" ? it.messages : 0), 0);
        line.takeAll();
        expect(line.sent).toHaveLength(wanted);
      }),
    );
  });

  test("counts whoever has sent it: what can't wait isn't held back, and holds the others back", () => {
    const line = new Line();
    line.send("urgent", ROOM.first);
    line.pacing.want(line.sender("a"));
    expect(line.sent).toEqual(["urgent"]);
    line.send("urgent", 100);
    line.take(0);
    expect(line.sent.slice(0, 3)).toEqual(["urgent", "urgent", "a"]);
  });
});

describe("the room", () => {
  test.each([
    { line: "of 921,600 baud", pace: 92.16, room: 9_216 },
    { line: "of 115,200 baud", pace: 11.52, room: ROOM.least },
    { line: "of 1 MB/s", pace: 1_000, room: 100_000 },
    { line: "of 1 GB/s", pace: 1_000_000, room: ROOM.most },
  ])("comes to what a line $line takes in 100 ms, from 4 to 256 KiB", ({ pace, room }) => {
    const line = new Line();
    line.pacing.want(line.sender("a", Number.POSITIVE_INFINITY, K));
    for (let i = 0; i < 1_000; i++) line.take(K / pace);
    expect(line.queued).toBeGreaterThanOrEqual(room * 0.99);
    expect(line.queued).toBeLessThan(room * 1.01 + K);
  });

  test("becomes no more than twice as large at once, so that one quick moment isn't taken for the line", () => {
    const line = new Line();
    line.pacing.want(line.sender("a", Number.POSITIVE_INFINITY, K));
    for (let i = 0; i < 200; i++) line.take(1_000);
    expect(line.queued).toBe(ROOM.least);
    line.take(0.001);
    expect(line.queued).toBe(2 * ROOM.least);
  });

  test("follows a line that becomes slow, and one that becomes fast", () => {
    const line = new Line();
    line.pacing.want(line.sender("a", Number.POSITIVE_INFINITY, K));
    for (let i = 0; i < 300; i++) line.take(100);
    expect(line.queued).toBe(ROOM.least);
    for (let i = 0; i < 10; i++) line.take(0.1);
    expect(line.queued).toBe(ROOM.most);
  });

  test("isn't made smaller by a time in which the line had nothing to take", () => {
    const line = new Line();
    for (let i = 0; i < 20; i++) {
      line.clock.turn(60_000);
      line.send("urgent", 100);
      line.take(0.1);
    }
    line.pacing.want(line.sender("a"));
    expect(line.queued).toBeGreaterThanOrEqual(ROOM.first);
  });
});
