/** `toHaveKey`: whether a dock has a key, and with the value that was expected. */
import type { MatcherState } from "vitest";
import { diagnostic } from "../diagnostic.js";
import type { Dock } from "../dock.js";
import type { KeyValue } from "../kv-store.js";
import { checkName, type LayerChoice } from "../layers.js";
import { quoted } from "../visible.js";
import { checkExpected, diffed, isAsExpected, valueTexts, wantedText } from "./expected-value.js";
import { isPlain, kindOf, nothingMore, optionsOf, subjectOf } from "./given.js";
import { choiceOf, inLayer, isIn, LAYER_CHOICES, othersThan, placeOf } from "./layer-choice.js";
import { cut, helpfully, namesText, nameText, said, type Verdict } from "./saying.js";

/** Where a key is expected. */
export interface ExpectedPlace {
  /** The layer, or `application` for those that applications write. Unless told, the value is the one that the dock answers with. */
  readonly store?: LayerChoice | undefined;
}

const NAME = "toHaveKey";

interface Asked {
  readonly key: string;
  readonly store: LayerChoice | undefined;
  readonly wanted: { readonly kind: "any" } | { readonly kind: "value"; readonly value: unknown };
}

export function toHaveKey(this: MatcherState, subject: unknown, ...given: unknown[]): Promise<Verdict> {
  const dock = subjectOf(this, NAME, subject);
  const asked = askedOf(given);
  checkName("key", asked.key, dock.limits);
  return verdictOn(this, dock, asked);
}

/** What was asked for. Fails with a TypeError when it makes no sense, with `USAGE` when it can be the value of no key. */
function askedOf(given: readonly unknown[]): Asked {
  const [key, value, place, ...more] = given;
  nothingMore(NAME, more);
  if (typeof key !== "string") throw new TypeError(`${NAME} takes a key, and was given ${kindOf(key)}.`);
  if (given.length === 2) checkMeant(value);
  const store = choiceOf(NAME, optionsOf(NAME, place, ["store"]).store);
  if (value === undefined) return { key, store, wanted: { kind: "any" } };
  checkExpected(value);
  return { key, store, wanted: { kind: "value", value } };
}

/** Refuses a value that is missing by mistake, and a layer that was given in its place: the first would always match, the second never. */
function checkMeant(value: unknown): void {
  if (value === undefined) {
    throw new TypeError(`${NAME} was given undefined, which is no value. For any value, give the key alone.`);
  }
  if (isPlain(value) && Object.keys(value).length === 1 && LAYER_CHOICES.some((store) => store === value.store)) {
    throw new TypeError(
      `${NAME} takes the layer after the value: ${NAME}(key, undefined, { store }) for any value. If this is the value, put {} after it.`,
    );
  }
}

async function verdictOn(state: MatcherState, dock: Dock, asked: Asked): Promise<Verdict> {
  const { key, store, wanted } = asked;
  const there = await dock.kv.find(key, placeOf(dock, store));
  if (there === undefined || !isIn(there.store, store)) {
    const found = `The dock ${quoted(dock.name)} has no key ${nameText(key)}${inLayer(store)}.`;
    const instead = state.isNot ? "" : await helpfully(() => insteadOf(dock, asked, there));
    return { pass: false, message: () => saidOf(state, asked, `${found}\n${instead}`) };
  }
  const has = `The dock ${quoted(dock.name)} has the key ${nameText(key)} in the layer ${there.store}`;
  const { EXPECTED_COLOR, RECEIVED_COLOR } = state.utils;
  if (wanted.kind === "any" || isAsExpected(state, there.value, wanted.value)) {
    const value = RECEIVED_COLOR(cut(diagnostic(there.value)));
    return { pass: true, message: () => saidOf(state, asked, `${has} with ${value}, and shouldn't.`) };
  }
  const [is, should] = valueTexts(state, there.value, wanted.value);
  const found = `${has} with ${RECEIVED_COLOR(is)} instead of ${EXPECTED_COLOR(should)}.`;
  return { pass: false, message: () => saidOf(state, asked, found), ...diffed(state, there.value, wanted.value) };
}

/** Where else the key is, or what there is instead. */
async function insteadOf(dock: Dock, { key, store }: Asked, there: KeyValue | undefined): Promise<string> {
  const elsewhere = there === undefined ? [] : [there];
  for (const other of othersThan(dock, store)) {
    const found = store === undefined ? undefined : await dock.kv.find(key, { store: other });
    if (found !== undefined) elsewhere.push(found);
  }
  const places = elsewhere.map((it) => `It is in the layer ${it.store}, with ${cut(diagnostic(it.value))}.`);
  if (places.length > 0) return places.join("\n");
  const names = (await dock.kv.list()).map((it) => it.key);
  return namesText("key", key, names);
}

function saidOf(state: MatcherState, { key, store, wanted }: Asked, found: string): string {
  const value = wanted.kind === "any" ? "undefined" : cut(wantedText(state, wanted.value));
  const place = store === undefined ? [] : [`{ store: "${store}" }`];
  const rest = wanted.kind === "any" && store === undefined ? [] : [value, ...place];
  return said(state, NAME, [nameText(key), ...rest], found);
}
