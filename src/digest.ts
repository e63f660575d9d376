/** What a read is checked by: the SHA-256 of what one request brought, and of everything since the beginning (SPEC §5.1). */
import { createHash, type Hash } from "node:crypto";

export class ReadDigest {
  #request: Hash = createHash("sha256");
  /** Over everything, once that is more than what the request brought. */
  #everything: Hash | undefined;

  update(bytes: Uint8Array): void {
    this.#request.update(bytes);
    this.#everything?.update(bytes);
  }

  /** Another request brings the rest. */
  beginRequest(): void {
    this.#everything ??= this.#request;
    this.#request = createHash("sha256");
  }

  /** Whether the request brought what has the hash `sent`, and everything has the hash `image`, where that is to be checked. */
  matches(sent: Uint8Array, image: Uint8Array | undefined): boolean {
    const request = this.#request.digest();
    const everything = this.#everything?.digest() ?? request;
    return request.equals(sent) && (image === undefined || everything.equals(image));
  }
}
