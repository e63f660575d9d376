/**
 * Says whether a decoded CBOR item matches a rule of a CDDL file (RFC 8610).
 *
 * It knows the part of the language that datastore.cddl uses, and throws on the rest rather than let something pass.
 * Whole floats count as integers, since a decoder to plain numbers can't tell them apart.
 */
import { type Assignment, type Operator, type Property, type PropertyType, parse, type Range } from "cddl";

interface Schema {
  readonly rules: readonly string[];
  /** Whether the item matches the rule. Maps are to be decoded as `Map`. */
  matches(rule: string, item: unknown): boolean;
}

export function loadSchema(path: string): Schema {
  const rules = new Map<string, Assignment>();
  for (const rule of parse(path)) {
    if (rules.has(rule.Name)) throw new Error(`${rule.Name} stands in ${path} twice`);
    rules.set(rule.Name, rule);
  }
  return {
    rules: [...rules.keys()],
    matches: (name, item) => matchesName(rules, name, item),
  };
}

type Rules = ReadonlyMap<string, Assignment>;

// The names of RFC 8610, appendix D, that the file uses.
const PRELUDE: Readonly<Record<string, (item: unknown) => boolean>> = {
  any: () => true,
  bool: (item) => typeof item === "boolean",
  null: (item) => item === null,
  float: (item) => typeof item === "number",
  tstr: (item) => typeof item === "string",
  bstr: (item) => item instanceof Uint8Array,
};

function matchesName(rules: Rules, name: string, item: unknown): boolean {
  const rule = rules.get(name);
  if (rule) return matchesType(rules, rule, item);
  const native = Object.hasOwn(PRELUDE, name) ? PRELUDE[name] : undefined;
  if (!native) throw new Error(`no rule ${name}`);
  return native(item);
}

function matchesType(rules: Rules, type: PropertyType | PropertyType[], item: unknown): boolean {
  if (Array.isArray(type)) return type.some((choice) => matchesType(rules, choice, item));
  if (typeof type === "string") return matchesName(rules, type, item);
  if ("Properties" in type) return matchesMap(rules, type.Properties, item);
  if ("Values" in type) return matchesArray(rules, type.Values, item);
  if (!("PropertyType" in type || "Value" in type)) {
    return matchesType(rules, type.Type, item) && (!type.Operator || satisfies(rules, type.Operator, item));
  }
  if (type.Operator) throw new Error(`an operator in an unknown place: ${JSON.stringify(type)}`);
  if ("PropertyType" in type) return matchesType(rules, type.PropertyType, item);
  if (type.Type === "literal") return item === type.Value;
  if (type.Type === "range") return isInteger(item) && isWithin(rangeOf(type), item);
  if (type.Type === "group" && typeof type.Value === "string" && !type.Unwrapped) {
    return matchesName(rules, type.Value, item);
  }
  throw new Error(`an unknown type: ${JSON.stringify(type)}`);
}

/** Keys with a colon are cut (RFC 8610, 3.5.4): a wrong value for one of them isn't saved by `* tstr => any`. */
function matchesMap(rules: Rules, properties: readonly (Property | Property[])[], item: unknown): boolean {
  if (!(item instanceof Map)) return false;
  const others = new Map<unknown, unknown>(item);
  let wildcard: Property | undefined;
  for (const property of properties.map(single)) {
    const { n, m } = property.Occurrence;
    if (!property.HasCut && n === 0 && m === Number.POSITIVE_INFINITY && !wildcard) {
      wildcard = property;
    } else if (!property.HasCut || wildcard || n > 1 || m !== 1) {
      throw new Error(`an unknown kind of member: ${JSON.stringify(property)}`);
    } else if (others.has(property.Name)) {
      if (!matchesType(rules, property.Type, others.get(property.Name))) return false;
      others.delete(property.Name);
    } else if (n === 1) {
      return false;
    }
  }
  for (const [key, value] of others) {
    if (!wildcard || !matchesName(rules, wildcard.Name, key) || !matchesType(rules, wildcard.Type, value)) return false;
  }
  return true;
}

/** Greedy, as RFC 8610 wants it: an item that an occurrence has taken isn't given back. */
function matchesArray(rules: Rules, values: readonly (Property | Property[])[], item: unknown): boolean {
  if (!Array.isArray(item)) return false;
  const items: readonly unknown[] = item;
  let at = 0;
  for (const property of values.map(single)) {
    const { n, m } = property.Occurrence;
    let count = 0;
    while (count < m && at < items.length && matchesType(rules, property.Type, items[at])) {
      count += 1;
      at += 1;
    }
    if (count < n) return false;
  }
  return at === items.length;
}

function single(property: Property | Property[]): Property {
  if (Array.isArray(property) || property.Operator) throw new Error(`not supported: ${JSON.stringify(property)}`);
  return property;
}

function satisfies(rules: Rules, operator: Operator, item: unknown): boolean {
  if (operator.Type === "and") return matchesType(rules, operator.Value, item);
  if (operator.Type !== "size") throw new Error(`an unknown operator: .${operator.Type}`);
  if (typeof item === "string") return isWithin(rangeOf(operator.Value), Buffer.byteLength(item));
  if (item instanceof Uint8Array) return isWithin(rangeOf(operator.Value), item.length);
  throw new Error("a .size of what has none");
}

function isInteger(item: unknown): item is number | bigint {
  return typeof item === "bigint" || Number.isInteger(item);
}

function isWithin({ min, max, inclusive }: Bounds, value: number | bigint): boolean {
  return value >= min && (inclusive ? value <= max : value < max);
}

interface Bounds {
  min: number;
  max: number;
  inclusive: boolean;
}

function rangeOf(type: PropertyType): Bounds {
  if (typeof type === "string" || !("Value" in type)) throw new Error(`not a range: ${JSON.stringify(type)}`);
  if (typeof type.Value === "number") return { min: type.Value, max: type.Value, inclusive: true };
  if (!isRange(type.Value)) throw new Error(`not a range: ${JSON.stringify(type)}`);
  return { min: numberOf(type.Value.Min), max: numberOf(type.Value.Max), inclusive: type.Value.Inclusive };
}

function isRange(value: object | string | boolean): value is Range {
  return typeof value === "object" && "Min" in value && "Max" in value && "Inclusive" in value;
}

// The parser's types call a bound a number or a name; what it gives is a literal.
function numberOf(bound: unknown): number {
  const value = typeof bound === "object" && bound !== null && "Value" in bound ? bound.Value : bound;
  if (typeof value !== "number") throw new Error(`not a number: ${JSON.stringify(bound)}`);
  return value;
}
