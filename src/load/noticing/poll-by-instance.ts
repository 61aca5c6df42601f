import type { NoticingCalls } from "./noticing-calls.js";
import type { OpenInstances } from "./open-instances.js";
import { settleEach, type PollWay } from "./poll-way.js";

/** Instances asked for in one search. */
const ASKED = 500;

/** By GetInstance, one call for each, in turn: what is left where a backend has no call that tells of many. */
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
