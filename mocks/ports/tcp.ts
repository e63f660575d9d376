/** A mock dock on TCP. */
import { createServer, type Socket } from "node:net";
import { fail, ready } from "../lifetime.js";
import type { Random } from "../random.js";
import { Outlet } from "./outlet.js";
import type { Line, Serve } from "./port.js";

/** How long a host waits for the one before it, which may be leaving just now, in milliseconds. */
const CHANGE_OVER = 500;

/** Serves TCP, one host at a time, as on a cable: a second one is let go. */
export function serveTcp({ host, port }: { host: string; port: number }, random: Random, serve: Serve): void {
  let connected: Socket | undefined;
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
    socket.on("error", () => {}); // `close` follows
    const before = connected;
    if (before === undefined) return begin(socket);
    const late = setTimeout(() => socket.destroy(), CHANGE_OVER);
    before.once("close", () => {
      clearTimeout(late);
      if (connected === undefined) begin(socket);
      else socket.destroy();
    });
  });
  const begin = (socket: Socket): void => {
    if (socket.destroyed) return;
    connected = socket;
    const outlet = new Outlet(socket, random, socket, () => peer.drained());
    const peer = serve(cuttable(outlet, socket));
    socket.on("data", (bytes) => peer.receive(bytes));
    socket.on("close", () => {
      peer.hangUp();
      connected = undefined;
    });
    socket.resume();
  };
  server.on("error", (error) => fail(error.message));
  server.listen(port, host, () => {
    const address = server.address();
    if (address === null || typeof address === "string") return fail("no TCP address");
    ready(`${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`);
  });
}

/** A line whose plug can be pulled: what was sent before goes out. */
function cuttable(outlet: Outlet, socket: Socket): Line {
  let isCut = false;
  return {
    send: (bytes) => {
      if (!isCut) outlet.send(bytes);
    },
    isFull: () => outlet.isFull(),
    cut: () => {
      isCut = true;
      outlet.onceSent(() => socket.destroySoon());
    },
  };
}
