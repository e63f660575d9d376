/** A mock dock on a serial port that there is: the dock's end of a USB gadget, or of a cable between two ports. */
import { fail, ready } from "../lifetime.js";
import type { Random } from "../random.js";
import { carry } from "./carriers.js";
import { Outlet } from "./outlet.js";
import type { Peer, Serve } from "./port.js";

/** How long after it was lost the port is opened again, and again, in milliseconds. */
const AGAIN = 50;

/** Serves the serial port at `path`, and when it hangs up, as a USB gadget's does when it is unplugged, opens it again. */
export function serveSerial(path: string, random: Random, serve: Serve): void {
  let wasOpen = false;
  const begin = (): void => {
    let peer: Peer | undefined;
    const { input, output } = carry({ path }, () => {
      if (!wasOpen) fail(`${path} can't be opened as a serial port`);
      peer?.hangUp();
      setTimeout(begin, AGAIN);
    });
    const opened = (): Peer => {
      const outlet = new Outlet(input, random, output, () => peer?.drained());
      if (!wasOpen) ready(path);
      wasOpen = true;
      return serve(outlet);
    };
    output.on("data", (bytes: Buffer) => {
      if (peer !== undefined) return peer.receive(bytes);
      peer = opened(); // which the first byte says
      peer.receive(bytes.subarray(1));
    });
  };
  begin();
}
