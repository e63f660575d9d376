/** Pictures for iTerm2's inline images (https://iterm2.com/documentation-images.html), which WezTerm takes as well. */

/** A file of any type that the terminal knows, drawn as many columns wide. */
export function iterm2File(data: Uint8Array, columns: number): string {
  const base64 = Buffer.from(data.buffer, data.byteOffset, data.length).toString("base64");
  return `\u001b]1337;File=inline=1;size=${data.length};width=${columns}:${base64}\u0007\n`;
}
