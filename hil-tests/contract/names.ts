/** SPEC §6 and §9.2: tags and keys are any text of 1 byte to the limit, but for U+0000. */
import { expect } from "vitest";
import type { Dock } from "../../src/index.js";
import { codeOf, framesSent } from "./calls.js";
import { contractTest } from "./contract-test.js";
import { all, expectAnswers } from "./reading.js";

/** Names that mean something to a file system, a terminal, a shell or a language, and nothing to a dock. */
const ODD = [
  "..",
  "../../../../etc/passwd",
  "/dev/ttyACM0",
  "C:\\Windows\\win.ini",
  "%2e%2e%2fdock.json",
  "a/b/../c",
  "\u001b[2J\u001b[31mred",
  "\r\n",
  "\u0001",
  "\t",
  "$(reboot)",
  "'; drop table images; --",
  "__proto__",
  "constructor",
  "toString",
  "undefined",
  "-1",
  "\ufeffdefault",
  "\u202edefault",
  "DEFAULT\u0301",
  "ⅷ",
  "壁紙",
  "🖥️",
] as const;

const KINDS = [
  { kind: "tag", limitOf: (dock: Dock) => dock.limits.tagBytes, taken: tagsOf, calls: callsOfTag, missing: "NOT_FOUND" },
  { kind: "key", limitOf: (dock: Dock) => dock.limits.keyBytes, taken: keysOf, calls: callsOfKey, missing: undefined },
] as const;

export function names(): void {
  contractTest.for(ODD)("an unknown tag is NOT_FOUND: %j", async (tag, { dock, skipFor }) => {
    if ((await tagsOf(dock)).has(tag)) return skipFor("this dock has an image of that tag");
    expect(await callsOfTag(dock, tag)).toEqual(["NOT_FOUND", "NOT_FOUND", "NOT_FOUND", "NOT_FOUND"]);
    await expectAnswers(dock);
  });

  contractTest.for(ODD)("an unknown key is undefined, which is no error: %j", async (key, { dock, skipFor }) => {
    if ((await keysOf(dock)).has(key)) return skipFor("this dock has that key");
    expect([await dock.kv.get(key), await dock.kv.find(key)]).toEqual([undefined, undefined]);
    await expectAnswers(dock);
  });

  contractTest.for(KINDS)(
    "a $kind of one byte, and one as long as the limit, are answered",
    async ({ limitOf, taken, calls, missing }, { dock }) => {
      const names = await taken(dock);
      for (const name of [unused(names, 1), unused(names, limitOf(dock))]) {
        expect(new Set(await calls(dock, name))).toEqual(new Set([missing]));
      }
    },
  );

  contractTest.for(KINDS)("a $kind is as long as its UTF-8", async ({ limitOf, taken, calls, missing }, { dock }) => {
    const name = "ж".repeat(Math.floor(limitOf(dock) / 2));
    if (!(await taken(dock)).has(name)) expect(new Set(await calls(dock, name))).toEqual(new Set([missing]));
    const sent = await framesSent(dock, async () => {
      expect(new Set(await calls(dock, `${name}ж`))).toEqual(new Set(["TOO_LARGE"]));
    });
    expect(sent).toBe(0);
  });

  contractTest.for(KINDS)(
    "a $kind one byte too long is TOO_LARGE with the limit, and nothing is sent",
    async ({ kind, limitOf, calls }, { dock }) => {
      const limit = limitOf(dock);
      const name = "x".repeat(limit + 1);
      const sent = await framesSent(dock, async () => {
        expect(new Set(await calls(dock, name))).toEqual(new Set(["TOO_LARGE"]));
        const call: Promise<unknown> = kind === "tag" ? dock.images.get(name) : dock.kv.get(name);
        await expect(call).rejects.toMatchObject({ details: { limit } });
      });
      expect(sent).toBe(0);
    },
  );

  contractTest.for(KINDS)(
    "a $kind that is empty, has U+0000 or half a character is USAGE, and nothing is sent",
    async ({ calls }, { dock }) => {
      const sent = await framesSent(dock, async () => {
        for (const name of ["", "\0", "a\0b", "\ud800", "a\udc00b"]) {
          expect(new Set(await calls(dock, name))).toEqual(new Set(["USAGE"]));
        }
      });
      expect(sent).toBe(0);
    },
  );
}

async function tagsOf(dock: Dock): Promise<Set<string>> {
  return new Set((await dock.images.list()).map(({ tag }) => tag));
}

async function keysOf(dock: Dock): Promise<Set<string>> {
  return new Set((await dock.kv.list()).map(({ key }) => key));
}

/** What each call with a tag fails with. */
async function callsOfTag(dock: Dock, tag: string): Promise<unknown[]> {
  const { images } = dock;
  const calls = [images.get(tag), images.getToken(tag), images.stream(tag).info(), all(images.stream(tag))];
  return Promise.all(calls.map((call) => codeOf(call)));
}

async function callsOfKey(dock: Dock, key: string): Promise<unknown[]> {
  return Promise.all([codeOf(dock.kv.get(key)), codeOf(dock.kv.find(key))]);
}

/** A name of so many bytes that isn't taken. */
function unused(taken: ReadonlySet<string>, bytes: number): string {
  for (let code = 0x7e; code > 0; code--) {
    const name = String.fromCharCode(code).repeat(bytes);
    if (!taken.has(name)) return name;
  }
  throw new Error(`all names of ${bytes} bytes are taken`);
}
