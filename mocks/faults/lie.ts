/** A dock that lies: one field of what it says is another one. */
import { type DockMessage, IMAGE_TYPES, type Item, LAYERS } from "../../protocol/index.js";
import type { Fault } from "../faults.js";
import type { Random } from "../random.js";
import { Occasions } from "./occasions.js";
import { type FaultOptions, LIES, type LieField } from "./options.js";

const UINT32_MAX = 2 ** 32 - 1;

/** Chances are messages that have the field, or any field that can be lied about. */
export function lie(options: FaultOptions, random: Random): Fault {
  const occasions = new Occasions(options, random);
  const fields = options.field === undefined ? LIES : [options.field];
  return {
    kind: "lie",
    say(message, dock) {
      const there = fields.filter((field) => fieldOf(message, field) !== undefined);
      const field = there[occasions.random.between(0, there.length - 1)];
      if (field === undefined || !occasions.now()) return undefined;
      dock.count();
      return [lied(message, field, occasions.random)];
    },
  };
}

/** What a message says in a field, if there is something that another value can take the place of. */
function fieldOf(message: DockMessage, field: LieField): Item | undefined {
  switch (field) {
    case "id":
      return "id" in message && message.id !== 0 ? message.id : undefined;
    case "offset":
      return message.type === "dockData" ? message.offset : undefined;
    case "credit":
      return message.type === "dockCredit" || message.type === "dockResend" ? message.limit : undefined;
    case "size":
    case "sha256":
    case "type":
    case "store":
    case "generation":
      if (message.type === "head") return message.meta[field];
      return message.type === "result" ? message.value[field] : undefined;
  }
}

function lied(message: DockMessage, field: LieField, random: Random): DockMessage {
  const truth = fieldOf(message, field);
  if (field === "id" && "id" in message) return { ...message, id: otherNumber(message.id, 1, random) };
  if (message.type === "dockData") return { ...message, offset: otherNumber(message.offset, 0, random) };
  if (message.type === "dockCredit" || message.type === "dockResend") {
    return { ...message, limit: otherNumber(message.limit, 0, random) };
  }
  if (message.type === "head") return { ...message, meta: { ...message.meta, [field]: other(truth, random) } };
  if (message.type === "result") return { ...message, value: { ...message.value, [field]: other(truth, random) } };
  return message;
}

/** Another value of the same kind. */
function other(truth: Item | undefined, random: Random): Item {
  if (typeof truth === "number") return otherNumber(truth, 0, random);
  if (truth instanceof Uint8Array) {
    const wrong = Uint8Array.from(truth);
    const at = random.between(0, wrong.length - 1);
    wrong[at] = (wrong[at] ?? 0) ^ (1 << random.between(0, 7));
    return wrong;
  }
  const others = (LAYERS.some((it) => it === truth) ? LAYERS : IMAGE_TYPES).filter((it) => it !== truth);
  return others[random.between(0, others.length - 1)] ?? null;
}

/** A number beside the truth, at an end of what there is, or anywhere. */
function otherNumber(truth: number, least: number, random: Random): number {
  const near = [truth - 1, truth + 1, truth + 8_192, least, UINT32_MAX, random.between(least, UINT32_MAX)];
  const wrong = near.filter((it) => it !== truth && it >= least && it <= UINT32_MAX);
  return wrong[random.between(0, wrong.length - 1)] ?? least;
}
