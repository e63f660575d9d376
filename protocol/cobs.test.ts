import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cobsBound, cobsDecode, cobsEncode } from "./cobs.js";

/** Data as COBS finds it hard: runs of 0, runs of other bytes about as long as a group, and anything. */
const data = fc
  .array(
    fc.oneof(
      fc.integer({ min: 1, max: 4 }).map((length) => filled(length, 0)),
      fc
        .tuple(fc.integer({ min: 252, max: 256 }), fc.integer({ min: 1, max: 255 }))
        .map(([length, byte]) => filled(length, byte)),
      fc.constant(filled(508, 0xff)),
      fc.uint8Array({ maxLength: 20 }),
    ),
    { maxLength: 6 },
  )
  .map((parts) => Buffer.concat(parts));

// Borders of a group, worked out by hand from the rules of SPEC §1.2.
const known = [
  { rule: "nothing is an empty group", plain: "", stuffed: "01" },
  { rule: "a 0 parts two empty groups", plain: "00", stuffed: "0101" },
  { rule: "two 0 part three", plain: "0000", stuffed: "010101" },
  { rule: "bytes without a 0 are one group", plain: "11223344", stuffed: "0511223344" },
  { rule: "a 0 in the middle", plain: "112200330044", stuffed: "03112202330244" },
  { rule: "a 0 at the end", plain: "11000000", stuffed: "0211010101" },
  { rule: "253 bytes are a group FE", plain: "07".repeat(253), stuffed: `fe${"07".repeat(253)}` },
  { rule: "254 bytes are a group FF, with nothing after it", plain: "07".repeat(254), stuffed: `ff${"07".repeat(254)}` },
  { rule: "255 bytes are two groups", plain: "07".repeat(255), stuffed: `ff${"07".repeat(254)}0207` },
  { rule: "a 0 after a group FF has a group", plain: `${"07".repeat(254)}00`, stuffed: `ff${"07".repeat(254)}0101` },
  { rule: "508 bytes are two groups FF", plain: "07".repeat(508), stuffed: `ff${"07".repeat(254)}`.repeat(2) },
];

describe("what is known", () => {
  test.each(known)("$rule", ({ plain, stuffed }) => {
    expect(hex(encoded(bytes(plain)))).toBe(stuffed);
    expect(hex(cobsDecode(bytes(stuffed)))).toBe(plain);
  });
});

describe("encoding", () => {
  test("decoding gives back any data", () => {
    fc.assert(
      fc.property(data, (plain) => {
        expect(hex(cobsDecode(encoded(plain)))).toBe(hex(plain));
      }),
    );
  });

  test("puts no 0 into what it stuffs, and takes at most the bound", () => {
    fc.assert(
      fc.property(data, (plain) => {
        const stuffed = encoded(plain);
        expect(stuffed.includes(0)).toBe(false);
        expect(stuffed.length).toBeLessThanOrEqual(cobsBound(plain.length));
      }),
    );
  });

  test.each([0, 1, 253, 255, 507, 509, 8_260])("needs the whole bound for %i bytes without a 0", (length) => {
    expect(encoded(filled(length, 1)).length).toBe(cobsBound(length));
  });

  test("writes from the given index on, and nowhere else", () => {
    const out = filled(20, 0xee);
    const end = cobsEncode(bytes("110022"), out, 5);
    expect(end).toBe(9);
    expect(hex(out)).toBe(`${"ee".repeat(5)}02110222${"ee".repeat(11)}`);
  });
});

describe("decoding", () => {
  test("works in place, and touches nothing beyond", () => {
    const memory = bytes("ee0311220133ee");
    const plain = cobsDecode(memory.subarray(1, 5));
    expect(hex(plain)).toBe("112200");
    expect(plain?.buffer).toBe(memory.buffer);
    expect(hex(memory.subarray(5))).toBe("33ee");
    expect(memory[0]).toBe(0xee);
  });

  test("accepts an empty group after an FF that ends the data (SPEC §1.2)", () => {
    expect(hex(cobsDecode(bytes(`ff${"07".repeat(254)}01`)))).toBe("07".repeat(254));
  });

  test.each([
    { rule: "a 0 where a code stands", stuffed: "00" },
    { rule: "a 0 where a later code stands", stuffed: "021100" },
    { rule: "a 0 in a group", stuffed: "04110033" },
    { rule: "a group that runs past the end", stuffed: "0411" },
    { rule: "a code without its bytes", stuffed: "02" },
    { rule: "FF without its bytes", stuffed: `ff${"07".repeat(253)}` },
    { rule: "a last group that runs past the end", stuffed: "021103" },
  ])("rejects $rule", ({ stuffed }) => {
    expect(cobsDecode(bytes(stuffed))).toBeUndefined();
  });

  test("whatever it accepts, encoding gives again, but for that one empty group", () => {
    const codes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 12 }).map((codes) => Buffer.from(codes));
    const random = fc.uint8Array({ minLength: 1, maxLength: 600 }).map((some) => Buffer.from(some));
    const anything = fc.oneof(codes, random, data.map(encoded));
    fc.assert(
      fc.property(anything, (stuffed) => {
        const before = hex(stuffed);
        const plain = cobsDecode(Buffer.from(stuffed));
        if (plain === undefined) return;
        expect([before, before.replace(/01$/, "")]).toContain(hex(encoded(plain)));
      }),
      { numRuns: 500 },
    );
  });
});

function encoded(plain: Uint8Array): Buffer {
  const out = Buffer.alloc(cobsBound(plain.length));
  return out.subarray(0, cobsEncode(Buffer.from(plain), out, 0));
}

function filled(length: number, byte: number): Buffer {
  return Buffer.alloc(length, byte);
}

function bytes(text: string): Buffer {
  return Buffer.from(text, "hex");
}

function hex(some: Uint8Array | undefined): string {
  return some === undefined ? "nothing" : Buffer.from(some).toString("hex");
}
