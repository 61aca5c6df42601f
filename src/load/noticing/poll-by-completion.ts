import type { InstanceIdPage, InstanceState } from "../../backend/orchestration-client.js";
import type { Clock } from "../../async/clock.js";
import { ENDED, endedMsOf } from "../../backend/ended-status.js";
import type { NoticingCalls } from "./noticing-calls.js";
import type { OpenInstances } from "./open-instances.js";
import type { PollWay } from "./poll-way.js";

const PAGE_SIZE = 1_000;
/** A completion may be listed this long after its time, so the next window covers late commits too. */
const OVERLAP_MS = 2_000;

/**
 * Polls with ListInstanceIds, which lists recent completions on the whole hub. The open instances among them are asked
 * for. A window begins shortly before the last search, on the backend's clock, and has no end.
 */
export class PollByCompletion implements PollWay {
  /** The beginning of the last window; undefined before the first one. */
  #fromMs: number | undefined;
  /** When the last successful search began, on our clock. */
  #searchedMs = Number.NEGATIVE_INFINITY;
  /** A lower bound of the backend's clock minus ours: an event happens before its report arrives. */
  #aheadMs = Number.NEGATIVE_INFINITY;

  constructor(
    readonly calls: NoticingCalls,
    readonly open: OpenInstances,
    readonly clock: Clock,
  ) {}

  async search(): Promise<readonly string[]> {
    this.#fromMs = this.#fromMs === undefined ? await this.#firstFromMs() : this.#nextFromMs;
    if (this.#fromMs === undefined) return [];
    const startedMs = this.clock();
    const ended = await this.#endedSince(this.#fromMs);
    this.#searchedMs = startedMs;
    return ended;
  }

  learn(state: InstanceState): void {
    const endedMs = endedMsOf(state);
    if (endedMs !== undefined) this.#aheadMs = Math.max(this.#aheadMs, endedMs - this.clock());
  }

  correct(state: InstanceState): void {
    const endedMs = endedMsOf(state);
    if (endedMs === undefined || endedMs >= this.#nextFromMs) return;
    // It completed before the next window begins: the backend's clock was set back, so the known offset is void.
    this.#aheadMs = endedMs - this.clock();
    this.#fromMs = endedMs - OVERLAP_MS;
  }

  /** Every completion before the last search was listed, unless it was committed late. */
  get #nextFromMs(): number {
    return Math.max(this.#fromMs ?? 0, this.#searchedMs + this.#aheadMs - OVERLAP_MS);
  }

  /** No instance of the run completed before the oldest one was created. */
  async #firstFromMs(): Promise<number | undefined> {
    for (let oldest = this.open.oldestId; oldest !== undefined; oldest = this.open.oldestId) {
      const state = await this.calls.stateOf(oldest);
      this.open.settle(oldest, state);
      if (!state) continue;
      this.learn(state);
      return (state.createdMs ?? OVERLAP_MS) - OVERLAP_MS;
    }
    return undefined;
  }

  async #endedSince(completedFromMs: number): Promise<readonly string[]> {
    const ended: string[] = [];
    let lastInstanceKey: string | undefined;
    let page: InstanceIdPage;
    do {
      page = await this.calls.completedIn({ statuses: ENDED, completedFromMs, pageSize: PAGE_SIZE, lastInstanceKey });
      ended.push(...page.instanceIds.filter((instanceId) => this.open.has(instanceId)));
      lastInstanceKey = page.lastInstanceKey;
      // Some backends return a key after the last page.
    } while (lastInstanceKey !== undefined && page.instanceIds.length > 0);
    return ended;
  }
}
