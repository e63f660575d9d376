/** A line with a rate and a delay each way, in front of a TCP port. */
import { connect, createServer, type Socket } from "node:net";

export interface LineOptions {
  /** Bytes each second, each way. */
  readonly bytesPerSecond: number;
  /** Milliseconds that each byte is on its way. */
  readonly delay: number;
}

/** Bytes that the line takes in before it holds the sender back: as much as a serial driver does. */
const BUFFER = 64 * 1024;
/** Bytes that are handed on at once. */
const PIECE = 1_000;

/** Serves a line to `behind`, which is HOST:PORT, on a port of the loopback interface. */
export async function serveLine(behind: string, options: LineOptions): Promise<{ port: number; close(): void }> {
  const [host = "", port] = behind.split(":");
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ host, port: Number(port), noDelay: true });
    carry(near, far, options);
    carry(far, near, options);
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no TCP address");
  return { port: address.port, close: () => server.close() };
}

/** Hands on what comes in, in order, each piece when the line would have carried it. */
function carry(from: Socket, to: Socket, { bytesPerSecond, delay }: LineOptions): void {
  const onItsWay: { readonly piece: Buffer; readonly arrivesAt: number }[] = [];
  let freeAt = 0; // when the line has carried everything before
  let waiting = 0;
  const deliver = (): void => {
    const now = performance.now();
    for (let [first] = onItsWay; first !== undefined && first.arrivesAt <= now; [first] = onItsWay) {
      onItsWay.shift();
      waiting -= first.piece.length;
      if (!to.destroyed) to.write(first.piece);
    }
    if (waiting < BUFFER / 2) from.resume();
    const [next] = onItsWay;
    if (next !== undefined) setTimeout(deliver, Math.max(1, next.arrivesAt - now));
  };
  from.on("error", () => {}); // `close` follows
  from.on("data", (chunk) => {
    const idle = onItsWay.length === 0;
    for (let at = 0; at < chunk.length; at += PIECE) {
      const piece = chunk.subarray(at, at + PIECE);
      freeAt = Math.max(freeAt, performance.now()) + (piece.length / bytesPerSecond) * 1e3;
      waiting += piece.length;
      onItsWay.push({ piece, arrivesAt: freeAt + delay });
    }
    if (waiting > BUFFER) from.pause();
    if (idle) deliver();
  });
}
