/** From an open line to a dock that has welcomed the host: a link, and the handshake over it. */
import type { DockMessage, Welcome } from "../protocol/index.js";
import type { Outcome, Problem } from "./errors.js";
import { Handshake, type HandshakeOptions } from "./handshake.js";
import { Link, type LinkCounters, type TraceEvent } from "./link.js";
import type { Transport } from "./transport/transport.js";

export interface ConnectOptions extends HandshakeOptions {
  /** Console text of the dock, as it comes in. */
  readonly onText?: ((text: string) => void) | undefined;
  readonly trace?: ((event: TraceEvent) => void) | undefined;
}

/** Who gets what comes over a link after the handshake. */
export interface Heir {
  message(message: DockMessage): void;
  /** The line is gone. */
  lost(problem: Problem): void;
}

/** A link whose dock has answered. */
export interface Welcomed {
  readonly link: Link;
  readonly welcome: Welcome;
  /** How long the handshake took, in milliseconds. */
  readonly roundTrip: number;
}

/**
 * Shakes hands over a line. `welcomed` is called at once when the dock has answered, before anything that follows is read.
 * When it fails, with `NO_ANSWER`, `ECHO`, `VERSION`, `PROTOCOL`, `LINK_LOST`, `BUSY` or `ABORTED`, the line is closed.
 */
export async function connect(
  transport: Transport,
  options: ConnectOptions,
  counters: LinkCounters,
  welcomed: (it: Welcomed) => Heir,
): Promise<Outcome<unknown>> {
  let heir: Heir | undefined;
  const handshake = new Handshake(options);
  const link: Link = new Link(
    transport,
    {
      message: (message) => (heir === undefined ? handshake.receive(message) : heir.message(message)),
      echo: () => handshake.echo(),
      text: (text) => {
        handshake.text(text);
        options.onText?.(text);
      },
      lost: (problem) => {
        handshake.fail(transport.kind === "tcp" && link.isSilent ? takenProblem(transport.name) : problem);
        heir?.lost(problem);
      },
      ...(options.trace === undefined ? {} : { trace: options.trace }),
    },
    options.clock,
    counters,
  );
  const outcome = await handshake.run(link, (welcome, roundTrip) => {
    heir = welcomed({ link, welcome, roundTrip });
  });
  if (outcome.kind === "failed") await link.close().catch(() => {}); // why it failed is what matters
  return outcome;
}

/** As a port of ser2net does, whose serial port another program has. */
function takenProblem(name: string): Problem {
  const message = `${name} closed the connection without a word: another program has that dock, or nothing is behind the port.`;
  return { code: "BUSY", message, retryable: true };
}
