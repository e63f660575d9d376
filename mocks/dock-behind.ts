/** A model of a dock, behind a service. */
import type { Hello, Item } from "../protocol/index.js";
import { answer, type Context, imageToRead, imageToWrite } from "./answers.js";
import type { Asked, Begun, Behind, Circumstances } from "./behind.js";
import type { DockModel } from "./dock.js";
import type { Download } from "./stream.js";

const MODEL = "DL-7450 mock";

export class DockBehind implements Behind {
  readonly model: DockModel;

  constructor(model: DockModel) {
    this.model = model;
  }

  greet({ software }: Hello, { say, sayAfter }: Circumstances): ReturnType<Behind["greet"]> {
    const { id, name, bootId, profile } = this.model;
    say(`DL-7450 mock dock ${name}, not a real one\r\n`);
    if (profile.features.includes("log")) sayAfter({ type: "log", level: "info", text: `session of ${software}` });
    return { bootId, dock: { id, model: MODEL, name }, features: [...profile.features], stores: [...profile.stores] };
  }

  answer(op: string, params: Asked, circumstances: Circumstances): Record<string, Item> {
    return answer(op, params, this.#context(circumstances));
  }

  read(params: Asked, circumstances: Circumstances): Download {
    return imageToRead(params, this.#context(circumstances));
  }

  write(params: Asked, circumstances: Circumstances): Begun {
    const asked = imageToWrite(params, this.#context(circumstances));
    const { store, tag, type, size, sha256, txn } = asked;
    const { model } = this;
    const put = (bytes: Uint8Array): Record<string, Item> => ({ ...model.putImage(store, tag, type, bytes, sha256, txn) });
    const content = model.contentOf(sha256);
    if (content !== undefined && content.length === size) return { kind: "done", value: put(content) };
    const upload = {
      params: asked,
      reserve: () => model.reserve(store, tag, size, txn),
      takePartial: () => model.takePartial(sha256, size),
      keepPartial: (bytes: Uint8Array) => model.keepPartial(sha256, size, bytes),
      put,
    };
    return { kind: "upload", upload };
  }

  isOpen(txn: number): boolean {
    return this.model.isOpen(txn);
  }

  rollbackOpen(): void {
    this.model.rollbackOpen();
  }

  restart({ say }: Pick<Circumstances, "say">): void {
    this.model.restart();
    say("DL-7450 mock dock: starting\r\n");
  }

  save(): void {
    this.model.save();
  }

  #context({ limits, maxBody, uptimeMs }: Circumstances): Context {
    return { dock: this.model, limits, maxBody, model: MODEL, uptimeMs };
  }
}
