/** How many requests that change something may be sent after one that has no answer (SPEC §4.6, rule 4). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { USUAL_LIMITS } from "../protocol/index.js";
import { Flow, type Need, type Share, WriteOrder } from "./flow.js";
import { ManualClock } from "./testing/manual-clock.js";

/** As many after the oldest, so that a dock that remembers 64 answers remembers them all. */
const MOST_AFTER = 63;
const write: Need = { requests: 1, streams: 0, writes: 1, up: 100, down: { least: 100, most: 100 } };
const read: Need = { ...write, writes: 0 };

/** Somebody who has asked. */
interface Asker {
  grants: number;
  share: Share | undefined;
}

/** Many who write. */
class Writers {
  readonly #flow = new Flow(USUAL_LIMITS, "drops", new ManualClock(), new WriteOrder());

  ask(need = write): Asker {
    const asker: Asker = { grants: 0, share: undefined };
    this.#flow.ask(need, (share) => {
      asker.grants++;
      asker.share = share;
    });
    return asker;
  }

  /** The dock answers. */
  answer({ share }: Asker): void {
    if (share !== undefined) this.#flow.giveBack(share);
  }
}

describe("requests that change something", () => {
  test("wait when 63 were sent after the oldest without an answer, however few are under way; others go ahead", () => {
    const writers = new Writers();
    const oldest = writers.ask();
    for (let i = 0; i < MOST_AFTER; i++) writers.answer(writers.ask());
    const [next, afterNext, reader] = [writers.ask(), writers.ask(), writers.ask(read)];
    expect([next.grants, afterNext.grants, reader.grants]).toEqual([0, 0, 1]);
    writers.answer(oldest);
    expect([next.grants, afterNext.grants]).toEqual([1, 1]);
  });

  test("go on as far as the oldest lets them, which is then another one", () => {
    const writers = new Writers();
    const oldest = writers.ask();
    for (let i = 0; i < 9; i++) writers.answer(writers.ask());
    const second = writers.ask();
    for (let i = 0; i < 53; i++) writers.answer(writers.ask());
    const waiting = Array.from({ length: 20 }, () => writers.ask());
    expect(waiting.filter(({ grants }) => grants > 0)).toEqual([]);
    writers.answer(oldest);
    expect(waiting.filter(({ grants }) => grants > 0)).toHaveLength(10);
    writers.answer(second);
    expect(waiting.filter(({ grants }) => grants > 0)).toHaveLength(20);
  });

  test("are numbered on over another link, when the dock remembers those of before", () => {
    const writes = new WriteOrder();
    const before = new Flow(USUAL_LIMITS, "drops", new ManualClock(), writes);
    const after = new Flow(USUAL_LIMITS, "drops", new ManualClock(), writes);
    const numbers: (number | undefined)[] = [];
    before.ask(write, (share) => numbers.push(share.write));
    for (let i = 0; i <= MOST_AFTER; i++) {
      after.ask(write, (share) => {
        numbers.push(share.write);
        if (i < MOST_AFTER) after.giveBack(share);
      });
    }
    expect(numbers).toEqual(Array.from({ length: 64 }, (_, i) => i + 1));
    after.giveBack({ write: 1 });
    expect(numbers.at(-1)).toBe(65);
  });

  test("that the dock has forgotten hold up nothing, and ending them late ends none of those after them", () => {
    const order = new WriteOrder();
    const before = Array.from({ length: 64 }, () => order.begin());
    expect(order.hasRoom).toBe(false);
    order.forget();
    expect(order.hasRoom).toBe(true);
    for (let i = 0; i < 64; i++) order.begin();
    for (const write of before) order.end(write);
    expect(order.hasRoom).toBe(false);
  });

  test("are sent no more than 63 after one without an answer, in whatever order they are answered, and never stand still for nothing", () => {
    const answers = fc.array(fc.nat(), { minLength: 50, maxLength: 200 });
    fc.assert(
      fc.property(answers, (answers) => {
        const order = new WriteOrder();
        const open: number[] = [];
        let last = 0;
        for (const answer of answers) {
          for (let i = 0; i < 1 + (answer % 4) && order.hasRoom; i++) {
            last = order.begin();
            open.push(last);
          }
          const after = last - Math.min(...open, last);
          expect(after).toBeLessThanOrEqual(MOST_AFTER);
          expect(order.hasRoom).toBe(open.length === 0 || after < MOST_AFTER);
          // The oldest is answered seldom, so that it is met.
          const [number] = open.splice(answer % 7 === 0 ? 0 : answer % Math.max(open.length, 1), 1);
          if (number !== undefined) order.end(number);
        }
      }),
    );
  });
});
