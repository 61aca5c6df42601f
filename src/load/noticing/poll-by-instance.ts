import type { NoticingCalls } from "./noticing-calls.js";
import type { OpenInstances } from "./open-instances.js";
import { settleEach, type PollWay } from "./poll-way.js";

/** The number of instances in one search. */
const ASKED = 500;

/** Polls with GetInstance, one call for each instance in turn, for backends without a call for many instances. */
export class PollByInstance implements PollWay {
  constructor(
    readonly calls: NoticingCalls,
    readonly open: OpenInstances,
  ) {}

  async search(): Promise<readonly string[]> {
    await settleEach(this.open.next(ASKED), this.calls, this.open);
    return [];
  }
}
