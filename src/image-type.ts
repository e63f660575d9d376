/** The type that an image is stored with: what it is, and what its caller says. */
import { IMAGE_TYPES, type ImageType, typeOf } from "../protocol/index.js";
import { DockError } from "./errors.js";
import { quoted } from "./visible.js";

/**
 * The type to store an image with that begins with `head`, when its caller says `said` or nothing. "none" is always right.
 * Fails with `INVALID` when it isn't what was said, or can't be told; with `USAGE` when there is no such type.
 */
export function checkedType(head: Uint8Array, said: ImageType | undefined): ImageType {
  if (said !== undefined && !IMAGE_TYPES.includes(said)) {
    throw new DockError({
      code: "USAGE",
      message: `There is no image type ${quoted(String(said))}: it is one of ${IMAGE_TYPES.join(", ")}.`,
    });
  }
  if (said === "none") return said;
  const type = typeOf(head);
  if (type === "none") throw new DockError({ code: "INVALID", message: unknownMessage(said) });
  if (said !== undefined && said !== type) {
    const message = `The image was said to be ${said}, and is ${type}. Say nothing of the type, or give "${type}".`;
    throw new DockError({ code: "INVALID", message });
  }
  return type;
}

function unknownMessage(said: ImageType | undefined): string {
  const found = "none of png, bmp, jpeg";
  const what = said === undefined ? `is ${found}` : `was said to be ${said}, and is ${found}`;
  return `The image ${what}. If it is to be stored nevertheless, give the type "none".`;
}
