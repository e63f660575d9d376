/** A dock behind a TCP port: a mock, or a serial port that ser2net serves raw. */
import { connect } from "node:net";
import { DockError } from "../errors.js";
import type { Transport } from "./transport.js";

export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

/** Connects, or fails with `NO_DOCK`, `TIMEOUT` or `ABORTED`. `timeout` is in milliseconds. */
export async function openTcp({ host, port }: TcpAddress, timeout: number, signal?: AbortSignal): Promise<Transport> {
  const name = `tcp://${host.includes(":") ? `[${host}]` : host}:${port}`;
  const limit = AbortSignal.timeout(timeout);
  const stop = signal === undefined ? limit : AbortSignal.any([signal, limit]);
  const socket = connect({ host, port, noDelay: true });
  const failure = await new Promise<unknown>((resolve) => {
    const abort = (): void => resolve(stop.reason);
    stop.addEventListener("abort", abort, { once: true });
    if (stop.aborted) abort();
    socket.once("connect", () => resolve(undefined));
    socket.once("error", resolve);
  });
  if (failure === undefined) return { kind: "tcp", name, stream: socket, holdsBack: true, close: () => closeSocket(socket) };
  socket.destroy();
  if (signal?.aborted) throw new DockError({ code: "ABORTED", message: `Connecting to ${name} was aborted.`, cause: failure });
  if (limit.aborted) {
    throw new DockError({
      code: "TIMEOUT",
      message: `${name} didn't accept a connection within ${timeout} ms.`,
      retryable: true,
    });
  }
  throw new DockError({
    code: "NO_DOCK",
    message: `Nothing answers at ${name} (${messageOf(failure)}). Is the dock's server running, and is the port right?`,
    cause: failure,
  });
}

async function closeSocket(socket: ReturnType<typeof connect>): Promise<void> {
  if (socket.closed) return;
  await new Promise<void>((resolve) => {
    socket.once("close", () => resolve());
    socket.destroy();
  });
}

function messageOf(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure);
  return "code" in failure && typeof failure.code === "string" ? failure.code : failure.message;
}
