import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  DELIMITER_BYTES,
  type DecodedFrame,
  decodeFrame,
  encodeFrame,
  FrameBatch,
  frameBound,
  LineGuard,
  type LinePiece,
} from "./frame.js";
import { HANDSHAKE_BODY, USUAL_BODY } from "./limits.js";

/** The body and the frame of SPEC §1.2: the host asks for the key `timezone`. */
const BODY = bytes("840107666b762e676574a1636b65796874696d657a6f6e65");
const FRAME = bytes("1d840107666b762e676574a1636b65796874696d657a6f6e653c65266b00");

/** A body, as far as a line is concerned: it begins as an array of 1 to 23 items. */
const body = fc
  .tuple(fc.integer({ min: 0x81, max: 0x97 }), fc.uint8Array({ maxLength: 300 }))
  .map(([array, rest]) => Uint8Array.from([array, ...rest]));
const printable = fc
  .array(fc.constantFrom("a", " ", "~", "\t", "\r\n", "\x1b[0m", "é", "世", "🎉", ">>> "), { minLength: 1, maxLength: 40 })
  .map((characters) => text(characters.join("")));
/** What can stand between two delimiters. */
const run = fc.oneof(
  body.map((it) => encodeFrame(it).subarray(0, -1)),
  printable,
  fc.uint8Array({ maxLength: 40 }),
  fc.constant(new Uint8Array(0)),
  fc.uint8Array({ minLength: 500, maxLength: 900 }),
);
const line = fc.array(run, { maxLength: 8 }).map((runs) => Buffer.concat(runs.flatMap((it) => [it, DELIMITER_BYTES])));
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });

describe("a frame", () => {
  test("is that of SPEC §1.2 for its example", () => {
    expect(encodeFrame(BODY)).toEqual(Buffer.from(FRAME));
    expect(bodyOf(decodeFrame(FRAME.slice(0, -1), USUAL_BODY))).toEqual(BODY);
  });

  test("gives back any body, and has no 00 but the last byte", () => {
    fc.assert(
      fc.property(body, (it) => {
        const frame = encodeFrame(it);
        expect(frame.indexOf(0)).toBe(frame.length - 1);
        expect(frame.length - 1).toBeLessThanOrEqual(frameBound(it.length));
        expect(bodyOf(decodeFrame(frame.subarray(0, -1), it.length))).toEqual(it);
      }),
    );
  });

  test("with any one bit flipped gives no body", () => {
    for (let bit = 0; bit < (FRAME.length - 1) * 8; bit++) {
      const broken = FRAME.slice(0, -1);
      broken[bit >> 3] = (broken[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(decodeFrame(broken, USUAL_BODY).kind, `bit ${bit}`).toBe("lost");
    }
  });

  test("with any one byte lost or doubled gives no body", () => {
    for (let at = 0; at < FRAME.length - 1; at++) {
      const lost = Uint8Array.from([...FRAME.slice(0, at), ...FRAME.slice(at + 1, -1)]);
      const doubled = Uint8Array.from([...FRAME.slice(0, at + 1), ...FRAME.slice(at, -1)]);
      expect(decodeFrame(lost, USUAL_BODY).kind, `byte ${at} lost`).toBe("lost");
      expect(decodeFrame(doubled, USUAL_BODY).kind, `byte ${at} doubled`).toBe("lost");
    }
  });

  test("of nothing is empty", () => {
    expect(decodeFrame(new Uint8Array(0), USUAL_BODY)).toEqual({ kind: "empty" });
  });

  test.each([
    { rule: "no COBS", run: "0511", why: "cobs" },
    { rule: "fewer than 5 bytes", run: "0411223344".slice(0, 8), why: "crc" },
    { rule: "the CRC of an empty body", run: "0101010101", why: "crc" },
    { rule: "a CRC in the other order", run: "1d840107666b762e676574a1636b65796874696d657a6f6e656b26653c", why: "crc" },
  ])("of $rule is lost as $why", ({ run, why }) => {
    const broken = bytes(run);
    expect(decodeFrame(broken, USUAL_BODY)).toEqual({ kind: "lost", why, bytes: run.length / 2 });
  });

  test.each([HANDSHAKE_BODY, USUAL_BODY])(
    "of a body of exactly the limit %i gets through, one byte more is oversize",
    (limit) => {
      const most = new Uint8Array(limit).fill(0x81);
      const more = new Uint8Array(limit + 1).fill(0x81);
      expect(decodeFrame(encodeFrame(most).subarray(0, -1), limit).kind).toBe("body");
      expect(decodeFrame(encodeFrame(more).subarray(0, -1), limit)).toMatchObject({ kind: "lost", why: "oversize" });
    },
  );

  test("whose body is too long for the limit, but whose zeros make it fit the bound, is oversize as well", () => {
    const frame = encodeFrame(Uint8Array.from([0x81, ...new Uint8Array(HANDSHAKE_BODY)])).subarray(0, -1);
    expect(frame.length).toBeLessThanOrEqual(frameBound(HANDSHAKE_BODY));
    expect(decodeFrame(frame, HANDSHAKE_BODY)).toMatchObject({ kind: "lost", why: "oversize" });
  });
});

describe("frames that go out in one write", () => {
  const bodies = fc.array(
    fc.oneof(
      body,
      fc.integer({ min: 1, max: 70_000 }).map((length) => new Uint8Array(length).fill(length)),
    ),
    { minLength: 1, maxLength: 12 },
  );

  test("stand behind one delimiter, each as if it were made alone, whatever was taken before", () => {
    fc.assert(
      fc.property(fc.array(bodies, { minLength: 1, maxLength: 4 }), (writes) => {
        const batch = new FrameBatch();
        const taken = writes.map((frames) => {
          for (const it of frames) batch.add(it);
          expect(batch.frames).toBe(frames.length);
          const { bytes } = batch;
          const write = batch.take();
          expect(write).toHaveLength(bytes);
          return write;
        });
        // Only now: what comes later must not touch what was taken.
        for (const [i, frames] of writes.entries())
          expect(
            Buffer.compare(taken[i] ?? DELIMITER_BYTES, Buffer.concat([DELIMITER_BYTES, ...frames.map(encodeFrame)])),
          ).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  test("let console text stand between them", () => {
    const batch = new FrameBatch();
    batch.addText("starting\r\n");
    batch.add(BODY);
    expect(batch.frames).toBe(1);
    expect(batch.take()).toEqual(Buffer.concat([DELIMITER_BYTES, text("starting\r\n"), DELIMITER_BYTES, FRAME]));
    expect(batch.bytes).toBe(0);
  });

  test("carry any console text so that it is taken for text alone, but for bytes that are none", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("\u00d1o", "\u2490\u0411", "\u0391")), (said) => {
        const batch = new FrameBatch();
        batch.addText(said);
        const pieces = new LineGuard(HANDSHAKE_BODY).feed(batch.take());
        expect(pieces.filter(({ kind }) => kind !== "text")).toEqual([]);
        const heard = Buffer.concat(pieces.flatMap((piece) => (piece.kind === "text" ? [piece.bytes] : []))).toString();
        expect(heard).toBe(Buffer.from(said).filter(isTextByte).toString());
      }),
    );
  });
});

/** SPEC §1.5. */
function isTextByte(byte: number): boolean {
  return (byte >= 0x07 && byte <= 0x0d) || byte === 0x1b || (byte >= 0x20 && byte <= 0x7e) || byte >= 0x80;
}

describe("a line guard", () => {
  test("says what SPEC §1.5 says, however the line is chopped", () => {
    fc.assert(
      fc.property(line, cuts, (whole, cuts) => {
        expect(merged(new LineGuard(HANDSHAKE_BODY), chopped(whole, cuts))).toEqual(bySpec(whole, HANDSHAKE_BODY));
      }),
      { numRuns: 300, interruptAfterTimeLimit: 5_000 },
    );
  });

  test("says the same byte by byte", () => {
    fc.assert(
      fc.property(line, (whole) => {
        const single = Array.from(whole, (_, i) => whole.subarray(i, i + 1));
        expect(merged(new LineGuard(HANDSHAKE_BODY), single)).toEqual(merged(new LineGuard(HANDSHAKE_BODY), [whole]));
      }),
      { numRuns: 50 },
    );
  });

  test("lets at most one byte more than a frame through of a run without end", () => {
    const guard = new LineGuard(HANDSHAKE_BODY);
    const endless = new Uint8Array(10_000).fill(0x81);
    let passed = 0;
    for (let i = 0; i < 1_000; i++) for (const piece of guard.feed(endless)) passed += lengthOf(piece);
    expect(passed).toBe(frameBound(HANDSHAKE_BODY) + 1);
    const [last] = guard.feed(DELIMITER_BYTES);
    expect(last).toEqual({ kind: "frames", bytes: DELIMITER_BYTES });
  });

  test("makes oversize what is longer, and lets the next frame through", () => {
    const guard = new LineGuard(HANDSHAKE_BODY);
    const { frames } = merged(guard, [new Uint8Array(5_000).fill(0x85), DELIMITER_BYTES, FRAME]);
    const [first = new Uint8Array(0), second = new Uint8Array(0)] = split(frames);
    expect(decodeFrame(first, HANDSHAKE_BODY)).toMatchObject({ kind: "lost", why: "oversize" });
    expect(bodyOf(decodeFrame(second, HANDSHAKE_BODY))).toEqual(BODY);
  });

  test("hands text up while it comes, without a delimiter", () => {
    const guard = new LineGuard(HANDSHAKE_BODY);
    expect(guard.feed(text(">>"))).toEqual([{ kind: "text", bytes: text(">>") }]);
    expect(guard.feed(text("> "))).toEqual([{ kind: "text", bytes: text("> ") }]);
  });

  test("holds a single byte until it is known what it is", () => {
    const guard = new LineGuard(HANDSHAKE_BODY);
    expect(guard.feed(text("o"))).toEqual([]);
    expect(guard.feed(text("k"))).toEqual([{ kind: "text", bytes: Buffer.from("ok") }]);
    guard.feed(DELIMITER_BYTES);
    expect(guard.feed(FRAME.subarray(0, 1))).toEqual([]);
    expect(guard.feed(FRAME.subarray(1, 3))).toEqual([{ kind: "frames", bytes: Buffer.from(FRAME.subarray(0, 3)) }]);
  });

  test("doesn't hold memory of a chunk that its owner uses again", () => {
    const guard = new LineGuard(HANDSHAKE_BODY);
    const chunk = Uint8Array.from(FRAME.subarray(0, 1));
    guard.feed(chunk);
    chunk.fill(0xee);
    expect(merged(guard, [FRAME.subarray(1)]).frames).toEqual(Buffer.from(FRAME));
  });

  test("calls a byte between two delimiters text when it is one, else noise", () => {
    const guard = new LineGuard(HANDSHAKE_BODY);
    expect(guard.feed(bytes("000a00"))).toEqual([{ kind: "text", bytes: bytes("0a") }]);
    expect(guard.feed(bytes("000100"))).toEqual([{ kind: "noise", bytes: 1 }]);
  });
});

interface Merged {
  readonly frames: Buffer;
  readonly text: Buffer;
  readonly noise: number;
}

function merged(guard: LineGuard, chunks: readonly Uint8Array[]): Merged {
  const frames: Uint8Array[] = [];
  const texts: Uint8Array[] = [];
  let noise = 0;
  for (const piece of chunks.flatMap((chunk) => guard.feed(chunk))) {
    if (piece.kind === "frames") frames.push(piece.bytes);
    else if (piece.kind === "text") texts.push(piece.bytes);
    else noise += piece.bytes;
  }
  return { frames: Buffer.concat(frames), text: Buffer.concat(texts), noise };
}

/** SPEC §1.4 and §1.5 said once more, for runs that are there as a whole. */
function bySpec(whole: Uint8Array, maxBody: number): Merged {
  const isText = (byte: number): boolean =>
    (byte >= 0x07 && byte <= 0x0d) || byte === 0x1b || (byte >= 0x20 && byte <= 0x7e) || byte >= 0x80;
  const frames: Uint8Array[] = [];
  const texts: Uint8Array[] = [];
  let noise = 0;
  for (const run of split(whole)) {
    const [first, second] = run;
    if (first === undefined) continue;
    if (second !== undefined && second >= 0x81 && second <= 0x97) {
      frames.push(run.subarray(0, frameBound(maxBody) + 1), DELIMITER_BYTES);
      continue;
    }
    const isConsole = isText(first) && (second === undefined || isText(second));
    const binary = isConsole ? run.findIndex((byte) => !isText(byte)) : 0;
    const end = binary < 0 ? run.length : binary;
    texts.push(run.subarray(0, end));
    noise += run.length - end;
  }
  return { frames: Buffer.concat(frames), text: Buffer.concat(texts), noise };
}

/** What stands before each 00. */
function split(whole: Uint8Array): Uint8Array[] {
  const runs: Uint8Array[] = [];
  for (let at = 0, end = whole.indexOf(0); end >= 0; at = end + 1, end = whole.indexOf(0, at)) runs.push(whole.slice(at, end));
  return runs;
}

function chopped(whole: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...new Set(cuts.map((cut) => Math.floor(cut * whole.length)))].sort((a, b) => a - b);
  return [0, ...places].map((from, i) => whole.subarray(from, places[i] ?? whole.length));
}

function bodyOf(frame: DecodedFrame): Uint8Array | undefined {
  return frame.kind === "body" ? Uint8Array.from(frame.body) : undefined;
}

function lengthOf(piece: LinePiece): number {
  return piece.kind === "noise" ? 0 : piece.bytes.length;
}

function text(some: string): Uint8Array {
  return new TextEncoder().encode(some);
}

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}
