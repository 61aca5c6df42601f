import { EMPTY_BYTES } from "../../protocol/empty-bytes.js";
import type { GroupCommit } from "../store/group-commit.js";
import type { Call } from "./call.js";
import type { HeldItem } from "../dispatch/worker.js";
import type { Store } from "../store/store.js";
import type { TaskHub } from "../hub/task-hub.js";
import type { TaskHubs } from "../hub/task-hubs.js";

/** What the calls of one connection share. */
export interface ServiceContext {
  readonly store: Store;
  readonly commits: GroupCommit;
  /** The hub that a call's `taskhub` metadata names. Throws an RpcError if there is none of that name. */
  hubOf(call: Pick<Call, "header">): TaskHub;
  /** What workers of this connection hold. */
  readonly heldItems: Set<HeldItem>;
  readonly hubs: TaskHubs;
}

/** The hub of calls that name none. */
const DEFAULT_HUB = "default";

export function hubName(call: Pick<Call, "header">): string {
  return call.header("taskhub") ?? DEFAULT_HUB;
}

export type AnswerBytes = (error: Error | undefined, value: Uint8Array | undefined) => void;

/** Answers with what was read once that is on disk: the store shows what is committed, and nobody is to see it before. */
export function answerRead({ commits }: ServiceContext, call: Call, response: Uint8Array): void {
  try {
    call.reserve(response.length);
  } catch (error) {
    call.fail(error);
    return;
  }
  commits.whenDurable((lost) => {
    if (lost === undefined) call.end(response);
    else call.fail(lost);
  });
}

/** Answers a call whose response has no fields. */
export function empty(answer: AnswerBytes): (error: Error | undefined) => void {
  return (error) => {
    answer(error, error === undefined ? EMPTY_BYTES : undefined);
  };
}

/** Answers with what is made of the value. */
export function encoded<T>(
  answer: AnswerBytes,
  encode: (value: T) => Uint8Array,
): (error: Error | undefined, value: T | undefined) => void {
  return (error, value) => {
    answer(error, value === undefined ? undefined : encode(value));
  };
}
