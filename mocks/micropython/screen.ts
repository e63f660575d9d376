/** What a dock in MicroPython shows: `splashscreen` in this process. */
import { IMAGE_TYPES, type ImageType } from "../../protocol/index.js";

/** The constants of the `image` module. */
export const TYPE_NUMBERS: Readonly<Record<ImageType, number>> = { none: 0, png: 1, bmp: 2, jpeg: 3 };

export interface Screen {
  readonly background?: {
    /** Of the image whose token was given; null for bytes. */
    readonly tag: string | null;
    readonly type: ImageType;
    /** Bytes. */
    readonly size: number;
    /** Hexadecimal. */
    readonly sha256: string;
  };
  /** Text boxes, a line each. */
  readonly text: string;
}

/** As Python gives it. */
interface Background {
  readonly tag: string | null;
  readonly type: number;
  readonly size: number;
  readonly sha256: () => string;
}

/** Follows what Python puts on the screen, and tells it once Python has nothing to do. */
export class ScreenWatch {
  readonly #onScreen: (screen: Screen) => void;
  #background: Background | undefined;
  #text = "";
  #drawing = false;

  constructor(onScreen: (screen: Screen) => void) {
    this.#onScreen = onScreen;
  }

  showBackground(tag: string | null, type: number, size: number, sha256: () => string): void {
    this.#background = { tag, type, size, sha256 };
    this.#drawSoon();
  }

  showText(text: string): void {
    this.#text = text;
    this.#drawSoon();
  }

  #drawSoon(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    setImmediate(() => {
      this.#drawing = false;
      this.#draw();
    });
  }

  #draw(): void {
    const text = this.#text;
    if (this.#background === undefined) return this.#onScreen({ text });
    const { tag, type, size, sha256 } = this.#background;
    const named = IMAGE_TYPES.find((it) => TYPE_NUMBERS[it] === type) ?? "none";
    this.#onScreen({ background: { tag, type: named, size, sha256: sha256() }, text });
  }
}
