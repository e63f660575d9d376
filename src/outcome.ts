/** What a call ends with when it isn't an answer: its time was over, it was aborted, or what became of it isn't known. */
import type { Item, Operation } from "../protocol/index.js";
import { type Outcome, type Problem, problemOfFailure } from "./errors.js";
import type { Share } from "./flow.js";
import type { Session } from "./session.js";

/** How long a write that was left is asked after, in milliseconds: longer than any retry time on a line that works. */
const SETTLING_TIME = 2_000;

export function abortProblem(what: string, signal: AbortSignal | undefined): Problem {
  return { code: "ABORTED", message: `${what} was aborted.`, cause: signal?.reason };
}

export function waitedProblem(what: string, timeout: number): Problem {
  return {
    code: "TIMEOUT",
    message: `${what} waited ${timeout} ms for other calls, and its turn didn't come.`,
    retryable: true,
  };
}

export function timeoutProblem(what: string, timeout: number): Problem {
  return { code: "TIMEOUT", message: `${what}: the dock didn't answer within ${timeout} ms.`, retryable: true };
}

export function flappingProblem(what: string): Problem {
  return {
    code: "LINK_LOST",
    message: `${what}: the link was lost again and again, and it never came further.`,
    retryable: true,
  };
}

/** What became of a transaction whose link was lost (SPEC §7.6). */
export const rolledBackProblem: Problem = {
  code: "LINK_LOST",
  message: "The link was lost, and with it the transaction: nothing of it was done. Do it again.",
  retryable: true,
};

/** Whether an operation does nothing by itself, and is undone with the session: it is part of a transaction, and doesn't commit it. */
export function endsWithLink(op: Operation, params: { readonly [key: string]: Item }): boolean {
  return op === "txn.begin" || (params.txn !== undefined && op !== "txn.commit");
}

/** A write was sent, and no answer will come. */
export function unknownProblem(what: string, why: Problem): Problem {
  const message = `${what} may have been carried out or not: ${why.message} Look before you do it again.`;
  return { code: "OUTCOME_UNKNOWN", message, ...(why.cause === undefined ? {} : { cause: why.cause }) };
}

/** A write that was left: what it was, and why. */
export interface Left {
  readonly op: Operation;
  readonly params: { readonly [key: string]: Item };
  /** As a person would name it. */
  readonly what: string;
  readonly problem: Problem;
  /** Gets a result that comes when nobody waits for it any more. */
  readonly late?: (value: unknown) => void;
}

/**
 * Cancels a write that was sent, and gives what became of it: what the dock says; `problem` when it wasn't carried out;
 * `OUTCOME_UNKNOWN` when the dock doesn't say in time. Returns how to leave it: then nothing is given any more.
 */
export function settleWrite(
  session: Session,
  id: number,
  share: Share,
  { op, params, what, problem, late }: Left,
  settle: (outcome: Outcome<unknown>) => void,
): () => void {
  let isOver = false;
  const unknown = (): void => {
    isOver = true;
    settle({ kind: "failed", problem: endsWithLink(op, params) ? problem : unknownProblem(what, problem) });
  };
  const leave = session.clock.after(SETTLING_TIME, unknown);
  session.cancel(id, share, (answer) => {
    leave();
    if (isOver) return answer?.type === "result" ? late?.(answer.value) : undefined;
    if (answer === undefined) unknown();
    else if (answer.type === "result") settle({ kind: "done", value: answer.value });
    else if (answer.failure.code === "CANCELLED") settle({ kind: "failed", problem });
    else settle({ kind: "failed", problem: problemOfFailure(answer.failure, what) });
  });
  return leave;
}
