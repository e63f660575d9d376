/** A line with a rate, a delay and flipped bits each way, in front of a TCP port. */
import { connect, createServer, type Socket } from "node:net";
import { Random } from "../mocks/random.js";

export interface LineOptions {
  /** Bytes each second, each way. */
  readonly bytesPerSecond: number;
  /** Milliseconds that each byte is on its way. */
  readonly delay: number;
  /** One bit is flipped in so many bytes, on average; none unless told. */
  readonly flipEvery?: number;
}

/** Bytes that the line takes in before it holds the sender back: as much as a serial driver does. */
const BUFFER = 64 * 1024;
/** Bytes that are handed on at once. */
const PIECE = 1_000;

export interface ServedLine {
  readonly port: number;
  /** Pulls the plug: who is connected is let go, who comes then is served. */
  cut(): void;
  close(): void;
}

/** Serves a line to `behind`, which is HOST:PORT, on a port of the loopback interface. */
export async function serveLine(behind: string, options: LineOptions): Promise<ServedLine> {
  const [host = "", port] = behind.split(":");
  let cut = (): void => {};
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ host, port: Number(port), noDelay: true });
    cut = () => {
      near.destroy();
      far.destroy();
    };
    carry(near, far, options);
    carry(far, near, options);
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no TCP address");
  return { port: address.port, cut: () => cut(), close: () => server.close() };
}

/** Hands on what comes in, in order, each piece when the line would have carried it. */
function carry(from: Socket, to: Socket, { bytesPerSecond, delay, flipEvery = Number.POSITIVE_INFINITY }: LineOptions): void {
  const flip = flipping(flipEvery);
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
    flip(chunk);
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

/** Flips bits in place, in one of `every` bytes on average: the distance between two is geometric. The seed is fixed. */
function flipping(every: number): (bytes: Buffer) => void {
  const random = new Random(7450);
  const distance = (): number => 1 + Math.floor(-Math.log(1 - random.next()) * every);
  let left = distance();
  return (bytes) => {
    let at = left - 1;
    for (; at < bytes.length; at += distance()) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.between(0, 7));
    left = at - bytes.length + 1;
  };
}
