/** What `toHaveImage` is given, checked: what makes no sense would otherwise never match, and always `not` match. */
import { createHash } from "node:crypto";
import { types } from "node:util";
import { IMAGE_TYPES, type ImageType } from "../../protocol/index.js";
import type { LayerChoice } from "../layers.js";
import { givenText, isMatcher, kindOf, optionsOf } from "./given.js";
import { choiceOf } from "./layer-choice.js";

/** What an image is expected to be; what isn't told can be anything. */
export interface ExpectedImage {
  /** Of all its bytes, 64 hexadecimal digits. */
  readonly sha256?: string;
  /** Its bytes, which are compared by their SHA-256. */
  readonly data?: Uint8Array;
  readonly type?: ImageType;
  /** Bytes. */
  readonly size?: number;
  /** The layer, or `application` for those that applications write. Unless told, the image is the one that the dock answers with. */
  readonly store?: LayerChoice | undefined;
}

/** What can be compared, in the order in which it is told. */
export const FACTS = ["type", "size", "store", "sha256"] as const;

/** What is compared: values, or matchers that stand for them. */
export type WantedFacts = { readonly [fact in (typeof FACTS)[number]]?: unknown };

export interface WantedImage {
  /** Where to look. */
  readonly store: LayerChoice | undefined;
  readonly facts: WantedFacts;
}

const OPTIONS = ["sha256", "data", "type", "size", "store"];

/** Fails with a TypeError when it makes no sense. */
export function wantedImage(matcher: string, given: unknown): WantedImage {
  const options = definite(matcher, optionsOf(matcher, given, OPTIONS));
  const { sha256, data, type, size, store } = options;
  checkFact(matcher, "type", type, isType, `one of ${IMAGE_TYPES.join(", ")}`);
  checkFact(matcher, "size", size, isSize, "a whole number of bytes");
  checkFact(matcher, "sha256", sha256, isSha256, "64 hexadecimal digits (the bytes of an image are `data`)");
  const facts = {
    ...(data === undefined ? {} : factsOfData(matcher, data, options)),
    ...(type === undefined ? {} : { type }),
    ...(size === undefined ? {} : { size }),
    ...(sha256 === undefined ? {} : { sha256: typeof sha256 === "string" ? sha256.toLowerCase() : sha256 }),
  };
  if (isMatcher(store)) return { store: undefined, facts: { ...facts, store } };
  return { store: choiceOf(matcher, store), facts };
}

/** Refuses what is undefined by mistake: it would be compared with nothing. Only `store` may be, as everywhere. */
function definite(matcher: string, options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const missing = Object.keys(options).find((name) => options[name] === undefined && name !== "store");
  if (missing === undefined) return options;
  throw new TypeError(`${matcher}: \`${missing}\` is undefined. Leave it out where it can be anything.`);
}

function checkFact(matcher: string, name: string, value: unknown, isGood: (value: unknown) => boolean, good: string): void {
  if (value === undefined || isMatcher(value) || isGood(value)) return;
  throw new TypeError(`${matcher}: \`${name}\` is ${good}, and was given as ${givenText(value)}.`);
}

function isType(value: unknown): boolean {
  return IMAGE_TYPES.some((type) => type === value);
}

function isSize(value: unknown): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isSha256(value: unknown): boolean {
  return typeof value === "string" && /^[0-9a-f]{64}$/i.test(value);
}

function factsOfData(matcher: string, data: unknown, { sha256, size }: Readonly<Record<string, unknown>>): WantedFacts {
  if (!types.isUint8Array(data)) throw new TypeError(`${matcher}: \`data\` is a Uint8Array, and was given as ${kindOf(data)}.`);
  if (sha256 !== undefined) throw new TypeError(`${matcher}: \`data\` and \`sha256\` say the same: give one of them.`);
  if (typeof size === "number" && size !== data.length) {
    throw new TypeError(`${matcher}: \`data\` has ${data.length} bytes, and \`size\` is ${size}: no image has both.`);
  }
  return { size: data.length, sha256: createHash("sha256").update(data).digest("hex") };
}
