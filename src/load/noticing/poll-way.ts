import type { InstanceState } from "../../backend/orchestration-client.js";
import { concurrently } from "../../async/concurrently.js";
import type { NoticingCalls } from "./noticing-calls.js";
import type { OpenInstances } from "./open-instances.js";
import { isWorthAnotherTry } from "./worth-another-try.js";

/** One way to find the ends of open instances. */
export interface PollWay {
  /**
   * Looks once, settles what it learns to have ended, and resolves with those that seem to have ended and have to be
   * asked for. Rejects with the error of a backend that does not have the way, or is away.
   */
  search(): Promise<Iterable<string>>;
  /** One that it had asked for has ended so. */
  learn?(state: InstanceState): void;
  /** One has ended so that no search has told of. */
  correct?(state: InstanceState): void;
}

const CONCURRENCY = 50;

/**
 * Asks for each instance and settles those that have ended or are gone, and those whose state the backend refuses to
 * tell. Resolves with the states of those that have ended. Rejects, once no call is under way, where the backend is away.
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
