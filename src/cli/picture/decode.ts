/** Images of a dock as pixels: measured before they are decoded, since what a dock holds may be made to exhaust its reader. */
import type { ImageType } from "../../../protocol/index.js";
import { typeOf } from "../../../protocol/index.js";
import { CliError } from "../cli-error.js";
import { decodeBmp } from "./bmp.js";
import { decodeJpeg } from "./jpeg.js";
import { decodePng } from "./png.js";

/** In pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Pixels row by row from the top, four bytes each: red, green, blue, and alpha, where 255 hides what is behind. */
export interface Picture extends Size {
  readonly data: Uint8Array;
}

/** A file whose dimensions are known, and bearable. */
export interface ImageFile extends Size {
  readonly type: DrawableType;
  readonly data: Buffer;
}

type DrawableType = Exclude<ImageType, "none">;

/** More than twice the largest image that fits into factory or runtime. */
const MOST_BYTES = 32 * 1024 * 1024;
/** Two screens of 4K. Each costs up to 40 bytes of memory while it is decoded. */
const MOST_PIXELS = 4_096 * 4_096;
/** What a JPEG can have; more would overflow 32 bits in pngjs. */
const LONGEST_SIDE = 65_535;
/** Where an image has its dimensions. A JPEG may have photographs' data before them, and image-size looks at each byte. */
const HEAD_BYTES = 1024 * 1024;

/** Fails with `PICTURE` when such an image isn't drawn, whatever is in it. */
export function checkDrawable(info: { readonly type: ImageType; readonly size: number }): DrawableType {
  if (info.type === "none") {
    throw undrawable(
      "The image is stored without a type: only png, jpeg and bmp are drawn. `dl7450 image get` writes it to a file.",
    );
  }
  if (info.size > MOST_BYTES) {
    const message = `The image has ${info.size} bytes, and up to ${MOST_BYTES} are drawn. \`dl7450 image get\` writes it to a file.`;
    throw undrawable(message);
  }
  return info.type;
}

/** Reads the dimensions, and no pixels. Fails with `PICTURE`. */
export async function measure(type: DrawableType, data: Uint8Array): Promise<ImageFile> {
  const found = typeOf(data);
  if (found !== type) {
    throw undrawable(
      `The image says it is ${type}, but it ${found === "none" ? "begins like none that is known" : `is ${found}`}.`,
    );
  }
  const { imageSize } = await import("image-size");
  const file = { type, data: Buffer.from(data.buffer, data.byteOffset, data.length) };
  try {
    const { width, height } = imageSize(Uint8Array.from(data.subarray(0, HEAD_BYTES)));
    return { ...file, ...bearable({ width, height }) };
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw undrawable(`The image says it is ${type}, but its dimensions can't be read: ${messageOf(cause)}.`, cause);
  }
}

function bearable({ width, height }: Size): Size {
  const said = `The image is ${width} by ${height} pixels`;
  if (width < 1 || height < 1) throw undrawable(`${said}: there is nothing to draw.`);
  if (width > LONGEST_SIDE || height > LONGEST_SIDE) throw undrawable(`${said}, and up to ${LONGEST_SIDE} a side are drawn.`);
  if (width * height > MOST_PIXELS) throw undrawable(`${said}, which is more than ${MOST_PIXELS}: it isn't drawn.`);
  return { width, height };
}

/** Fails with `PICTURE`. */
export async function decode(file: ImageFile): Promise<Picture> {
  try {
    const picture = await DECODERS[file.type](file.data);
    if (picture.width !== file.width || picture.height !== file.height) throw new Error("it has dimensions in two places");
    return picture;
  } catch (cause) {
    throw undrawable(`The image says it is ${file.type} but can't be decoded: ${messageOf(cause)}.`, cause);
  }
}

const DECODERS: Readonly<Record<DrawableType, (data: Buffer) => Promise<Picture>>> = {
  png: decodePng,
  jpeg: decodeJpeg,
  bmp: decodeBmp,
};

function undrawable(message: string, cause?: unknown): CliError {
  return new CliError("PICTURE", message, cause);
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
