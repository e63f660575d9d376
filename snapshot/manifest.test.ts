import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type KvValue, LAYERS } from "../protocol/index.js";
import { ManifestError } from "./checked.js";
import { type Manifest, manifestText, parseManifest } from "./manifest.js";

const dock = { id: "0".repeat(64), name: "RW02-0005", model: "DL-7450" };
const image = { file: "factory/default.png", type: "png", size: 8, sha256: "a".repeat(64) } as const;

function snapshotOf(keys: Record<string, KvValue>): Manifest {
  const entries = Object.entries(keys).map(([key, value]) => [key, { value, upd: false }] as const);
  return { dock, layers: [{ store: "factory", images: new Map([["default", image]]), keys: new Map(entries) }] };
}

test("it is made to be read, and to be compared line by line", () => {
  const text = manifestText(snapshotOf({ timezone: "GMT", on: true, note: "two\nlines\n", bytes: Uint8Array.of(1, 2, 3) }));
  expect(text.slice(text.indexOf("format:"))).toBe(`format: 1
dock:
  id: "${"0".repeat(64)}"
  name: RW02-0005
  model: DL-7450
layers:
  factory:
    images:
      default:
        file: factory/default.png
        type: png
        size: 8
        sha256: ${"a".repeat(64)}
    keys:
      timezone: GMT
      on: true
      note: |
        two
        lines
      bytes:
        $bytes: AQID
`);
});

test("a value of several lines keeps a line that is a blank", () => {
  const text = "\n \nx y z long words here to exceed forty characters  a";
  const manifest = snapshotOf({ text });
  expect(parseManifest(manifestText(manifest))).toEqual(manifest);
});

describe("what is written is what is read", () => {
  /** What YAML has rules of its own for. */
  const blanks = fc.string({ unit: fc.constantFrom(" ", "\n", "\t", "a", "\r", "#", ":", "-"), minLength: 1, maxLength: 8 });
  const name = fc
    .oneof(
      blanks,
      fc.string({ minLength: 1 }),
      fc.string({ unit: "binary", minLength: 1 }),
      fc.constantFrom("__proto__", "<<", "null", "1", "- a", "#", "~", "y"),
    )
    .filter((it) => it.isWellFormed() && !it.includes("\0"));
  const { value } = fc.letrec<{ value: KvValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<KvValue>(
        null,
        true,
        false,
        Number.NaN,
        -0,
        1.5,
        2 ** 53 - 1,
        2n ** 63n - 1n,
        -(2n ** 63n),
        Infinity,
        "~",
        "0x10",
        "1_0",
      ),
      fc.integer(),
      fc.double(),
      fc.string({ unit: "binary" }).filter((it) => it.isWellFormed()),
      blanks,
      fc.uint8Array(),
      fc.array(tie("value")),
      fc.dictionary(name, tie("value"), { noNullPrototype: true }),
    ),
  }));

  test("whatever a dock may hold", () => {
    const layer = fc.record({
      store: fc.constantFrom(...LAYERS),
      images: fc.array(fc.tuple(name, fc.constant(image))).map((it) => new Map(it)),
      keys: fc.array(fc.tuple(name, fc.record({ value, upd: fc.boolean() }))).map((it) => new Map(it)),
    });
    const manifests = fc.record({ dock: fc.constant(dock), layers: fc.uniqueArray(layer, { selector: ({ store }) => store }) });
    fc.assert(
      fc.property(manifests, (it) => {
        expect(parseManifest(manifestText(it))).toEqual(it);
      }),
      { numRuns: 100 },
    );
  });
});

describe("what isn't a manifest is refused, with the place", () => {
  const good = manifestText(snapshotOf({ timezone: "GMT" }));
  const cases: [what: string, text: string, said: string][] = [
    ["nothing", "", "it has no format"],
    ["something else", "images: {}\n", "it has no format"],
    ["no YAML", 'a: "\n', "isn't YAML as it should be: "],
    ["a newer one", good.replace("format: 1", "format: 2"), "format 2, and this program reads 1"],
    ["an alias", good.replace("timezone: GMT", "a: &a GMT\n      b: *a"), "line 18: an alias, which no snapshot needs"],
    ["a name twice", good.replace("timezone: GMT", "a: 1\n      a: 2"), 'line 18: the second "a"'],
    ["a name that isn't text", good.replace("timezone: GMT", "[a]: 1"), "line 17: a name that isn't text"],
    ["digits that would be lost", good.replace("GMT", "12345678901234567"), "line 17: 12345678901234567 would lose digits"],
    [
      "digits that would be lost, in another base",
      good.replace("GMT", "0x1fffffffffffffffff"),
      "0x1fffffffffffffffff would lose",
    ],
    ["a tag", good.replace("GMT", "!!binary aGVsbG8="), "isn't YAML as it should be: Unresolved tag"],
    ["a set", good.replace("GMT", "!!set {a}"), "isn't YAML as it should be: Unresolved tag"],
    ["text by a tag", good.replace("GMT", "!!str 12"), "line 17: a tag, which no snapshot needs"],
    ["a directive", `%YAML 1.1\n---\n${good}`, "a directive, which no snapshot needs"],
    ["more values than can be read", good.replace("GMT", `[${"1,".repeat(200_000)}]`), "more than 300000 words and signs"],
    ["a value that can't be", good.replace("GMT", "{ $hex: a }"), 'layers.factory.keys["timezone"]: a $hex that isn\'t'],
    ["another layer", good.replace("factory:", "rom:"), 'there is no layer "rom"'],
    ["a type that there isn't", good.replace("type: png", "type: gif"), 'layers.factory.images["default"].type: '],
    ["an unknown key", good.replace("size: 8", "sise: 8"), 'layers.factory.images["default"]'],
    ["an empty name", good.replace("timezone:", '"":'), "is no name that a dock can have"],
    ["more nested than the stack is deep", `format: ${"[".repeat(20_000)}`, "more than 200 deep"],
  ];
  test.each(cases)("%s", (_what, text, said) => {
    expect(() => parseManifest(text)).toThrow(ManifestError);
    expect(() => parseManifest(text)).toThrow(said);
  });

  test("anything: it throws nothing else", () => {
    const mutations = fc.tuple(fc.nat(good.length), fc.nat(20), fc.string({ unit: "binary" }));
    fc.assert(
      fc.property(mutations, ([at, cut, put]) => {
        try {
          parseManifest(good.slice(0, at) + put + good.slice(at + cut));
        } catch (error) {
          expect(error).toBeInstanceOf(ManifestError);
        }
      }),
      { numRuns: 200 },
    );
  });
});
