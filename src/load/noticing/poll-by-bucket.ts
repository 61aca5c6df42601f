import type { InstanceState, RuntimeStatus } from "../../backend/orchestration-client.js";
import { ENDED, isEnded } from "../../backend/ended-status.js";
import { bucketPrefixOf, idsOfBucket } from "../../plan/run-id.js";
import type { NoticingCalls } from "./noticing-calls.js";
import type { OpenInstances } from "./open-instances.js";
import type { PollWay } from "./poll-way.js";

const PAGE_SIZE = 1_000;
const NOT_ENDED: readonly RuntimeStatus[] = ["Pending", "Running", "Suspended", "ContinuedAsNew"];
/** Up to this number of open instances in a bucket of a thousand, a list of the open ones is the smaller answer. */
const FEW_OPEN = 500;

/**
 * Polls with QueryInstances, in the buckets that still have open instances. It asks for the ended or for the unfinished
 * ones, whichever list is shorter. An open instance that is not in a list of unfinished ones is then asked for by id.
 */
export class PollByBucket implements PollWay {
  constructor(
    readonly calls: NoticingCalls,
    readonly open: OpenInstances,
  ) {}

  async search(): Promise<readonly string[]> {
    const absent: string[] = [];
    for (const [bucket, open] of this.open.buckets()) {
      if (open > FEW_OPEN) await this.#settleEnded(bucket);
      else absent.push(...(await this.#absentFrom(bucket)));
    }
    return absent;
  }

  async #settleEnded(bucket: number): Promise<void> {
    for await (const state of this.#statesOf(bucket, ENDED))
      if (this.open.has(state.instanceId)) this.open.settle(state.instanceId, await this.calls.withReason(state));
  }

  async #absentFrom(bucket: number): Promise<Iterable<string>> {
    const absent = new Set(idsOfBucket(this.open.runId, bucket).filter((id) => this.open.has(id)));
    for await (const { instanceId, status } of this.#statesOf(bucket, NOT_ENDED))
      if (!isEnded(status)) absent.delete(instanceId);
    return absent;
  }

  async *#statesOf(bucket: number, statuses: readonly RuntimeStatus[]): AsyncIterable<InstanceState> {
    const instanceIdPrefix = bucketPrefixOf(this.open.runId, bucket);
    let continuationToken: string | undefined;
    do {
      const page = await this.calls.instancesOf({ instanceIdPrefix, statuses, pageSize: PAGE_SIZE, continuationToken });
      yield* page.instances;
      continuationToken = page.continuationToken;
    } while (continuationToken !== undefined);
  }
}
