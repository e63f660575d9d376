/** `toHaveImage`: whether a dock has an image, and whether it is the one that was expected. */
import type { MatcherState } from "vitest";
import type { Layer } from "../../protocol/index.js";
import { type ImageContent, imageContent } from "../contents.js";
import type { Dock } from "../dock.js";
import type { ImageEntry } from "../image-store.js";
import { checkName } from "../layers.js";
import { quoted } from "../visible.js";
import { FACTS, type WantedFacts, type WantedImage, wantedImage } from "./expected-image.js";
import { isMatcher, kindOf, nothingMore, subjectOf } from "./given.js";
import { inLayer, isIn, othersThan, placeOf } from "./layer-choice.js";
import { cut, helpfully, joined, lineOf, namesText, nameText, said, type Verdict } from "./saying.js";

const NAME = "toHaveImage";

interface Asked extends WantedImage {
  readonly tag: string;
}

/** What an image is. */
type Facts = Omit<ImageContent, "sha256"> & { readonly store: Layer; readonly sha256?: string };

export function toHaveImage(this: MatcherState, subject: unknown, ...given: unknown[]): Promise<Verdict> {
  const dock = subjectOf(this, NAME, subject);
  const [tag, expected, ...more] = given;
  nothingMore(NAME, more);
  if (typeof tag !== "string") throw new TypeError(`${NAME} takes a tag, and was given ${kindOf(tag)}.`);
  checkName("tag", tag, dock.limits);
  return verdictOn(this, dock, { tag, ...wantedImage(NAME, expected) });
}

async function verdictOn(state: MatcherState, dock: Dock, asked: Asked): Promise<Verdict> {
  const { tag, store } = asked;
  const entries = await dock.images.list(placeOf(dock, store));
  const entry = entries.find((it) => it.tag === tag && isIn(it.store, store));
  if (entry !== undefined) return compared(state, dock, asked, await factsOf(dock, entry, asked));
  const found = `The dock ${quoted(dock.name)} has no image ${nameText(tag)}${inLayer(store)}.`;
  const instead = state.isNot ? "" : await helpfully(() => insteadOf(dock, asked, entries));
  return { pass: false, message: () => saidOf(state, asked, `${found}\n${instead}`) };
}

/** The image as it is, with its SHA-256 where that is expected. */
async function factsOf(dock: Dock, entry: ImageEntry, { facts }: Asked): Promise<Facts> {
  if (facts.sha256 === undefined) return entry;
  return { ...(await imageContent(dock, entry, placeOf(dock, entry.store))), store: entry.store };
}

function compared(state: MatcherState, dock: Dock, asked: Asked, is: Facts): Verdict {
  const { facts: wanted, tag } = asked;
  const told = FACTS.filter((fact) => fact in wanted);
  const wrong = told.filter((fact) => !state.equals(is[fact], wanted[fact], state.customTesters));
  const text = (from: WantedFacts, which = told): string =>
    joined(
      which.map((fact) => `${fact} ${isMatcher(from[fact]) ? cut(lineOf(state, from[fact])) : from[fact]}`),
      "and",
    );
  const { EXPECTED_COLOR, RECEIVED_COLOR } = state.utils;
  const image = `The dock ${quoted(dock.name)} has the image ${nameText(tag)} in the layer ${is.store}`;
  if (wrong.length === 0) {
    const facts = told.length === 0 ? "" : ` with ${RECEIVED_COLOR(text(is))}`;
    return { pass: true, message: () => saidOf(state, asked, `${image}${facts}, and shouldn't.`) };
  }
  const found = `${image} with ${RECEIVED_COLOR(text(is, wrong))} instead of ${EXPECTED_COLOR(text(wanted, wrong))}.`;
  const picked = (from: WantedFacts): WantedFacts => Object.fromEntries(told.map((fact) => [fact, from[fact]]));
  return { pass: false, message: () => saidOf(state, asked, found), actual: picked(is), expected: picked(wanted) };
}

/** Where else the image is, or what there is instead. */
async function insteadOf(dock: Dock, { tag, store }: Asked, entries: readonly ImageEntry[]): Promise<string> {
  // A dock whose layers can't be named has listed those of others, too.
  const elsewhere = entries.filter((it) => it.tag === tag).map((it) => it.store);
  for (const other of othersThan(dock, store)) {
    if ((await dock.images.list({ store: other })).some((it) => it.tag === tag)) elsewhere.push(other);
  }
  if (elsewhere.length > 0) return `It has one in the layer ${joined(elsewhere, "and")}.`;
  const all = store === undefined ? entries : await dock.images.list();
  return namesText(
    "image",
    tag,
    all.map((it) => it.tag),
  );
}

function saidOf(state: MatcherState, { tag, store, facts }: Asked, found: string): string {
  const expected = { ...facts, ...(store === undefined ? {} : { store }) };
  const rest = Object.keys(expected).length === 0 ? [] : [cut(lineOf(state, expected))];
  return said(state, NAME, [nameText(tag), ...rest], found);
}
