import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { failed, result, runOf, skipped } from "../testing/test-results.js";
import { junitText } from "./junit.js";

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

const TOKEN = /<(\/?)([\w-]+)((?: [\w-]+="[^"<]*")*)(\/?)>|([^<]+)/gy;
// What XML 1.0 has no character for (§2.2).
const NO_CHARACTER = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;

/** Reads XML as far as it is written here. Throws when it isn't well-formed. */
function parse(xml: string): Element {
  if (NO_CHARACTER.test(xml)) throw new Error("a character that XML hasn't");
  const root: Element = { name: "", attributes: {}, children: [], text: "" };
  const open = [root];
  const body = xml.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, "");
  let end = 0;
  for (const [token, closes, name = "", attributes = "", isEmpty, text] of body.matchAll(TOKEN)) {
    end += token.length;
    const within = open.at(-1);
    if (within === undefined) throw new Error("text after the end");
    if (text !== undefined) within.text += plain(text);
    else if (closes) {
      if (open.pop()?.name !== name) throw new Error(`${name} isn't open`);
    } else {
      const pairs = [...attributes.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [key, plain(value)]);
      const element: Element = { name, attributes: Object.fromEntries(pairs), children: [], text: "" };
      within.children.push(element);
      if (!isEmpty) open.push(element);
    }
  }
  const [only, ...others] = root.children;
  if (end !== body.length || open.length !== 1 || only === undefined || others.length > 0) throw new Error(`broken at ${end}`);
  return only;
}

function plain(text: string): string {
  if (/&(?!(amp|lt|gt|quot);)|]]>/.test(text)) throw new Error(`not escaped: ${text}`);
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}

/** All elements of a name, from the outermost. */
function all({ children }: Element, name: string): Element[] {
  return children.flatMap((child) => [...(child.name === name ? [child] : []), ...all(child, name)]);
}

describe("a run as JUnit XML", () => {
  const run = runOf([
    result("g", "a"),
    result("g", "b", skipped('it has no "x"')),
    result(
      "h",
      "c",
      failed("1 isn't 2", { difference: "- 1\n+ 2", stack: "Error: 1 isn't 2\n    at f (a.js:1:2)" }),
      "printed\nlines",
    ),
  ]);
  const xml = parse(junitText(run, { name: "RW02-0005" }));

  test("has how many there are of each, and how long they took, in seconds", () => {
    const counts = { tests: "3", failures: "1", errors: "0", skipped: "1", time: "1.234" };
    expect(xml).toMatchObject({ name: "testsuites", attributes: { ...counts, time: expect.stringMatching(/^1\.23[45]$/) } });
    expect(all(xml, "testsuite").map(({ attributes }) => attributes)).toMatchObject([
      { name: "g", tests: "2", failures: "0", skipped: "1", time: "0.024", timestamp: "1970-01-01T00:00:00.000Z" },
      { name: "h", tests: "1", failures: "1", skipped: "0", time: "0.012" },
    ]);
    expect(all(xml, "testcase").map(({ attributes }) => attributes)).toEqual([
      { classname: "g", name: "a", time: "0.012" },
      { classname: "g", name: "b", time: "0.012" },
      { classname: "h", name: "c", time: "0.012" },
    ]);
  });

  test("has the reason of a skip", () => {
    expect(all(xml, "skipped").map(({ attributes }) => attributes)).toEqual([{ message: 'it has no "x"' }]);
  });

  test("has what a failure says, its difference and stack, and what was printed", () => {
    const [failure] = all(xml, "failure");
    expect(failure?.attributes).toEqual({ type: "AssertionError", message: "1 isn't 2" });
    expect(failure?.text).toBe("- 1\n+ 2\n\nError: 1 isn't 2\n    at f (a.js:1:2)");
    expect(all(xml, "system-out").map(({ text }) => text)).toEqual(["printed\nlines"]);
  });

  test("says in each group what was tested", () => {
    expect(all(xml, "property").map(({ attributes }) => attributes)).toEqual(
      Array(2).fill({ name: "name", value: "RW02-0005" }),
    );
  });
});

test("trouble beside the tests is an error, so that nobody takes the rest for all", () => {
  const xml = parse(junitText(runOf([result("g", "a")], { troubles: ["it died"], notRun: 7 }), {}));
  expect(xml.attributes).toMatchObject({ tests: "2", errors: "1" });
  expect(all(xml, "error").map(({ attributes }) => attributes.message)).toEqual(["it died; tests that weren't run: 7"]);
});

test("text comes back as it was, but what can't be seen", () => {
  const text = "a & b &amp; <c/> ]]> \"d\" 'e' 😀";
  const xml = parse(junitText(runOf([result(text, text, failed(text, { stack: text }), `${text}\u0000\n${text}`)]), {}));
  expect(all(xml, "testcase")[0]?.attributes).toMatchObject({ classname: text, name: text });
  expect(all(xml, "failure")[0]).toMatchObject({ attributes: { message: text }, text });
  expect(all(xml, "system-out")[0]?.text).toBe(`${text}\\x00\n${text}`);
});

test("it is well-formed with any text", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("]]>", "<!--", "&amp;", "\"'", "\u001b[31m", "\ud800", "\udc00a", "\ufffe", "😀", "a\r\nb\tc"),
  );
  const texts = fc.array(text, { minLength: 9, maxLength: 9 });
  fc.assert(
    fc.property(
      texts,
      ([group = "", name = "", why = "", type = "", message = "", difference = "", stack = "", out = "", p = ""]) => {
        const broken = result(group, name, failed(message, { type, difference, stack }), out);
        const xml = parse(junitText(runOf([broken, result(group, name, skipped(why))], { troubles: [message] }), { p }));
        expect(all(xml, "testcase")).toHaveLength(3);
      },
    ),
    { numRuns: 30 },
  );
});
