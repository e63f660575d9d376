import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { encodeBody, LAYERS, type Layer } from "../protocol/index.js";
import { DockModel, PROFILES } from "./dock.js";
import { Refusal } from "./refusal.js";
import { StateFolder } from "./state.js";

const CAPACITY = 60;
const name = fc.constantFrom("a", "b", "__proto__", "é", "10");
const store = fc.constantFrom(...LAYERS);
const place = { store, name, staged: fc.boolean() };
const step = fc.oneof(
  fc.record({ op: fc.constant("setKey" as const), ...place, text: fc.string({ maxLength: 30 }) }),
  fc.record({ op: fc.constant("putImage" as const), ...place, bytes: fc.uint8Array({ maxLength: 30 }) }),
  fc.record({ op: fc.constant("deleteKey" as const), ...place }),
  fc.record({ op: fc.constant("deleteImage" as const), ...place }),
  fc.record({ op: fc.constant("begin" as const), store, replace: fc.boolean() }),
  fc.record({ op: fc.constantFrom("commit" as const, "rollback" as const, "reset" as const, "restart" as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What a layer is to a reader of SPEC §6: names with what they stand for, and how often it has changed. */
interface Plain {
  readonly things: Map<string, string | Uint8Array>;
  generation: number;
}

/** The plainest dock that there can be: it copies and sums up everything, each time. */
class Reference {
  readonly layers = new Map(LAYERS.map((store): [Layer, Plain] => [store, { things: new Map(), generation: 0 }]));
  open: { readonly store: Layer; readonly things: Plain["things"] } | undefined;

  layer(store: Layer): Plain {
    const layer = this.layers.get(store);
    if (layer === undefined) throw new Error(store);
    return layer;
  }

  /** Does a step, or refuses it, which changes nothing. */
  apply(step: Step): "done" | "refused" {
    switch (step.op) {
      case "begin":
        if (this.open !== undefined) return "refused";
        this.open = { store: step.store, things: new Map(step.replace ? [] : this.layer(step.store).things) };
        return "done";
      case "commit":
      case "rollback":
        if (this.open === undefined) return "refused";
        if (step.op === "commit") this.change(this.open.store, this.open.things);
        this.open = undefined;
        return "done";
      case "reset":
        this.open = undefined;
        for (const store of ["runtime", "ephemeral"] as const) {
          if (this.layer(store).things.size > 0) this.change(store, new Map());
        }
        return "done";
      case "restart":
        this.open = undefined;
        this.layers.set("ephemeral", { things: new Map(), generation: 0 });
        return "done";
      default:
        return this.write(step);
    }
  }

  change(store: Layer, things: Plain["things"]): void {
    this.layers.set(store, { things, generation: this.layer(store).generation + 1 });
  }

  write(step: Extract<Step, { name: string }>): "done" | "refused" {
    const { open } = this;
    if (step.staged ? open?.store !== step.store : open?.store === step.store) return "refused";
    const before = step.staged && open !== undefined ? open.things : this.layer(step.store).things;
    const after = new Map(before);
    const isKey = step.op === "setKey" || step.op === "deleteKey";
    const named = `${isKey ? "key" : "image"} ${step.name}`;
    if (step.op === "setKey") after.set(named, step.text);
    else if (step.op === "putImage") after.set(named, step.bytes);
    else if (!after.delete(named)) return "done";
    if (usedBy(after) > CAPACITY) return "refused";
    const old = before.get(named);
    if (step.op === "putImage" && old instanceof Uint8Array && Buffer.compare(old, step.bytes) === 0) return "done";
    if (step.staged && open !== undefined) this.open = { store: open.store, things: after };
    else this.change(step.store, after);
    return "done";
  }
}

function usedBy(things: Plain["things"]): number {
  return [...things].reduce((sum, [named, it]) => {
    const nameBytes = Buffer.byteLength(named.slice(named.indexOf(" ") + 1));
    return sum + nameBytes + (typeof it === "string" ? encodeBody(it).length : it.length);
  }, 0);
}

function applyToDock(dock: DockModel, step: Step, txn: number): number {
  switch (step.op) {
    case "begin":
      return dock.begin(step.store, step.replace);
    case "commit":
      dock.commit(txn);
      return txn;
    case "rollback":
      dock.rollback(txn);
      return txn;
    case "reset":
    case "restart":
      dock[step.op]();
      return txn;
    default: {
      const staged = step.staged ? [txn] : [];
      if (step.op === "setKey") dock.setKey(step.store, step.name, step.text, ...staged);
      else if (step.op === "putImage") {
        const sha256 = createHash("sha256").update(step.bytes).digest();
        dock.putImage(step.store, step.name, "none", step.bytes, sha256, ...staged);
      } else dock[step.op](step.store, step.name, ...staged);
      return txn;
    }
  }
}

/** A layer of a dock, in the reference's form. */
function layerOf(dock: DockModel, store: Layer): unknown[] {
  const keys = dock.keys(store).map(({ key, value }) => [`key ${key}`, value]);
  const images = dock.images(store).map(({ tag, bytes }) => [`image ${tag}`, [...bytes]]);
  return [...images, ...keys, dock.used(store), dock.generation(store)];
}

function expected({ things, generation }: Plain): unknown[] {
  const inOrder = [...things].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return [...inOrder.map(([named, it]) => [named, typeof it === "string" ? it : [...it]]), usedBy(things), generation];
}

test("a dock is what the plainest one would be after each step, and factory and runtime come back as they were", async () => {
  const parent = mkdtempSync(join(tmpdir(), "dl7450-steps-"));
  onTestFinished(() => rmSync(parent, { recursive: true }));
  const capacities = { factory: CAPACITY, runtime: CAPACITY, ephemeral: CAPACITY };
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const folder = join(parent, String(run++));
      const reference = new Reference();
      const state = await StateFolder.open(folder);
      const dock = new DockModel(PROFILES.development, "MOCK-0001", { capacities, state });
      let txn = 0;
      for (const step of steps) {
        let outcome = "done";
        try {
          txn = applyToDock(dock, step, txn);
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          outcome = "refused";
        }
        expect(outcome).toBe(reference.apply(step));
        for (const store of LAYERS) expect(layerOf(dock, store)).toEqual(expected(reference.layer(store)));
        dock.save();
      }
      await state.close();
      const again = await StateFolder.open(folder);
      const loaded = new DockModel(PROFILES.development, "MOCK-0001", { capacities, state: again });
      for (const store of ["factory", "runtime"] as const) expect(layerOf(loaded, store)).toEqual(layerOf(dock, store));
      await again.close();
    }),
    { numRuns: 150 },
  );
});
