import type { InstanceState } from "../../backend/orchestration-client.js";
import { concurrently } from "../../async/concurrently.js";
import type { NoticingCalls } from "./noticing-calls.js";
import type { OpenInstances } from "./open-instances.js";
import { isWorthAnotherTry } from "./worth-another-try.js";

/** A way to find the ends of open instances. */
export interface PollWay {
  /**
   * Searches once and settles the instances that are known to have ended. Resolves with the instances that seem to have
   * ended and must be asked for. Rejects if the backend lacks the way or is away.
   */
  search(): Promise<Iterable<string>>;
  /** Called with the state of an instance that a search had found. */
  learn?(state: InstanceState): void;
  /** Called with the state of an ended instance that the searches have missed. */
  correct?(state: InstanceState): void;
}

const CONCURRENCY = 50;

/**
 * Asks for each instance. Settles those that have ended, are gone, or whose state the backend refuses to return.
 * Resolves with the states of the ended ones. Rejects, after all calls have ended, if the backend is away.
 */
export async function settleEach(
  instanceIds: Iterable<string>,
  calls: NoticingCalls,
  open: OpenInstances,
): Promise<readonly InstanceState[]> {
  const ended: InstanceState[] = [];
  const away = new AbortController();
  const signal = AbortSignal.any([calls.signal, away.signal]);
  await concurrently(instanceIds, CONCURRENCY, signal, async (instanceId) => {
    if (!open.has(instanceId)) return;
    try {
      const state = await calls.stateOf(instanceId);
      if (open.settle(instanceId, state) && state) ended.push(state);
    } catch (error) {
      if (isWorthAnotherTry(error)) away.abort(error);
      else open.reject(instanceId, error);
    }
  });
  away.signal.throwIfAborted();
  return ended;
}
