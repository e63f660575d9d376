/** A port that a mock is served on: where answers go, and who gives them. */

/** Where answers go. */
export interface Line {
  send(bytes: Uint8Array): void;
  /** Whether so much waits to go out that what can wait should. */
  isFull(): boolean;
  /** Cuts it, where that can be done: a pseudo-terminal has no plug. */
  cut?(): void;
}

/** Who answers on a line. */
export interface Peer {
  receive(bytes: Uint8Array): void;
  /** The line, which was full, has room again. */
  drained(): void;
  /** The other side is gone, where the port can tell. */
  hangUp(): void;
}

/** Makes the one who answers, given where to. */
export type Serve = (line: Line) => Peer;
