/** What can go wrong in the dock. */
import { createHash } from "node:crypto";
import * as v from "valibot";
import { type DockMessage, type Failure, type HostMessage, LAYERS, type Layer } from "../../protocol/index.js";
import type { StoredImage } from "../dock.js";
import type { Fault, FaultyDock } from "../faults.js";
import type { Random } from "../random.js";
import { Refusal } from "../refusal.js";
import { meets, Occasions } from "./occasions.js";
import type { FaultOptions } from "./options.js";
import { RequestsMet } from "./requests.js";

type Request = Extract<HostMessage, { type: "request" }>;

/** A dock that needs longer says `pending`, and so often, in milliseconds (SPEC §4.3). */
const PENDING_STEP = 200;
/** Requests that a slow dock keeps at most: more than may be under way (SPEC §9.2). */
const MOST_KEPT = 1_024;
/** Streams that `replace` knows at most. */
const MOST_STREAMS = 64;
/** Bytes at the start of an image that stay when it is replaced: they show its type. */
const SIGNATURE = 16;

/** The dock is away for a while, then starts again. Chances are bytes of images; any other message is one, too. */
export function restart(options: FaultOptions, random: Random): Fault {
  const { ms = 0 } = options;
  const occasions = new Occasions(options, random);
  let away: { readonly dock: FaultyDock } | undefined;
  const back = (): void => {
    const before = away;
    away = undefined;
    before?.dock.restart();
  };
  const falls = (message: HostMessage | DockMessage, dock: FaultyDock): boolean => {
    if (away !== undefined) return true;
    const chances = message.type === "hostData" || message.type === "dockData" ? message.bytes.length : 1;
    if (occasions.first(chances) === undefined) return false;
    dock.count();
    const now = { dock };
    away = now;
    // Later, even if at once: what the dock is doing just now isn't to be pulled from under it.
    dock.after(ms, () => {
      if (away === now) back();
    });
    return true;
  };
  return {
    kind: "restart",
    hear: (message, dock) => ((meets(options, "toDock") || away !== undefined) && falls(message, dock) ? "taken" : undefined),
    say: (message, dock) => ((meets(options, "toHost") || away !== undefined) && falls(message, dock) ? [] : undefined),
    leaveDock: back,
  };
}

/** Requests wait before the dock carries them out. It can be told to cancel them meanwhile. */
export function slow(options: FaultOptions, random: Random): Fault {
  const { ms = 0 } = options;
  const occasions = new Occasions(options, random);
  const kept = new Map<number, { readonly request: Request; readonly dock: FaultyDock }>();
  const carryOut = (id: number): void => {
    const it = kept.get(id);
    kept.delete(id);
    it?.dock.hear(it.request);
  };
  const wait = (request: Request, left: number, dock: FaultyDock): void => {
    const step = Math.min(left, PENDING_STEP);
    dock.after(step, () => {
      if (kept.get(request.id)?.request !== request) return;
      if (left > step) {
        dock.say({ type: "pending", id: request.id });
        return wait(request, left - step, dock);
      }
      carryOut(request.id);
    });
  };
  return {
    kind: "slow",
    hear(message, dock) {
      if (message.type === "hello") {
        kept.clear();
        return undefined;
      }
      if (kept.has(message.id)) {
        if (message.type === "request") dock.say({ type: "pending", id: message.id });
        if (message.type !== "cancel") return "taken";
        kept.delete(message.id);
      }
      if (message.type !== "request" || kept.size >= MOST_KEPT || !occasions.now()) return undefined;
      dock.count();
      kept.set(message.id, { request: message, dock });
      wait(message, ms, dock);
      return "taken";
    },
    leaveDock() {
      for (const id of kept.keys()) carryOut(id);
    },
  };
}

export function busy(options: FaultOptions, random: Random): Fault {
  const failure = { code: "BUSY", message: "too much under way, says a fault", retryable: true };
  return refusing("busy", options, random, () => failure);
}

export function full(options: FaultOptions, random: Random): Fault {
  return refusing("full", options, random, ({ op, params: { store } }) => {
    if ((op !== "kv.set" && op !== "image.put") || !v.is(v.picklist(LAYERS), store)) return undefined;
    return { code: "NO_SPACE", message: `the layer ${store} is full, says a fault`, retryable: false, store, free: 0 };
  });
}

/** Refuses requests that arrive for the first time, and refuses them again when they are repeated or cancelled (SPEC §4.3, §4.4). */
function refusing(kind: string, options: FaultOptions, random: Random, why: (request: Request) => Failure | undefined): Fault {
  const occasions = new Occasions(options, random);
  const requests = new RequestsMet();
  const refuse = (id: number, failure: Failure, dock: FaultyDock): "taken" => {
    dock.say({ type: "failure", id, failure });
    return "taken";
  };
  return {
    kind,
    hear(message, dock) {
      if (message.type !== "request" && message.type !== "cancel") return undefined;
      const before = requests.refusal(message.id);
      if (before !== undefined) return refuse(message.id, before, dock);
      if (requests.meet(message.id) === "known" || message.type === "cancel") return undefined;
      const failure = why(message);
      if (failure === undefined || !occasions.now()) return undefined;
      requests.refuse(message.id, failure);
      dock.count();
      return refuse(message.id, failure, dock);
    },
    say(message) {
      requests.watch(message);
      return undefined;
    },
  };
}

/** The dock itself then answers `NO_SESSION`, to what it hears just now already. */
export function forget(options: FaultOptions, random: Random): Fault {
  const occasions = new Occasions(options, random);
  return {
    kind: "forget",
    hear(message, dock) {
      if (message.type === "hello" || !occasions.now()) return undefined;
      dock.count();
      dock.forget();
      return undefined;
    },
  };
}

/** Replaces an image in a layer that can be written, while its data is being said, by one of the same type and size. */
export function replace(options: FaultOptions, random: Random): Fault {
  const occasions = new Occasions(options, random);
  const streams = new Map<number, { readonly tag: string; readonly store: Layer }>();
  const writable = v.object({ tag: v.string(), store: v.picklist(["runtime", "ephemeral"]) });
  return {
    kind: "replace",
    say(message, dock) {
      if (message.type === "head") {
        const head = v.safeParse(writable, message.meta);
        streams.delete(message.id);
        if (head.success) streams.set(message.id, head.output);
        const [oldest] = streams.keys();
        if (streams.size > MOST_STREAMS && oldest !== undefined) streams.delete(oldest);
      }
      if (message.type !== "dockData") return undefined;
      const stream = streams.get(message.id);
      const image = stream === undefined ? undefined : dock.model?.image(stream.tag, stream.store);
      if (image !== undefined && occasions.now()) replaceImage(image, dock);
      return undefined;
    },
  };
}

function replaceImage({ store, tag, type, bytes }: StoredImage, dock: FaultyDock): void {
  const other = bytes.map((byte, i) => (i < SIGNATURE && type !== "none" ? byte : byte ^ 0xff));
  try {
    dock.model?.putImage(store, tag, type, other, createHash("sha256").update(other).digest());
    dock.count();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error; // a transaction is open on the layer: the image stays
  }
}
