import { isMissingCall } from "../backend/missing-call.js";
import type { InstanceState, InstanceQuery, OrchestrationClient } from "../backend/orchestration-client.js";
import { concurrently } from "../async/concurrently.js";
import { instanceIdOf, instanceIdPrefixOf, runIdOf, runIdOfPart, sequenceOf } from "../plan/run-id.js";
import { NOT_COMPLETED, isUnfinished } from "./instance-status.js";
import { RunTally } from "./run-tally.js";

/** Instances in an answer of QueryInstances. */
const PAGE_SIZE = 1_000;
/**
 * If only GetInstance is available, the numbers of a run are read in blocks of this size. A block without an instance
 * is the end. A run that starts everything at once has up to this many starts in progress, so a smaller gap may be a
 * start that is still coming, or was refused.
 */
const BLOCK = 100;
const CONCURRENCY = 50;

/** The pages of a query, one after the other. */
export async function* pagesOf(
  client: OrchestrationClient,
  query: InstanceQuery,
  signal: AbortSignal,
): AsyncIterable<readonly InstanceState[]> {
  let continuationToken: string | undefined;
  do {
    const page = await client.queryInstances({ ...query, pageSize: PAGE_SIZE, continuationToken }, { signal });
    yield page.instances;
    continuationToken = page.continuationToken;
  } while (continuationToken !== undefined);
}

/**
 * Reads the instances of one run by prefix and page. Without QueryInstances it reads them by their ids, which are
 * numbered from 0.
 */
export class RunReader {
  readonly tally = new RunTally();
  /** Their sub-orchestrations that are parts of a fan-out. Empty without QueryInstances. */
  readonly parts = new RunTally();
  #byId = false;

  constructor(
    readonly client: OrchestrationClient,
    readonly runId: string,
  ) {}

  /** Updates the tally with all instances, or only with those that had not completed. */
  async read(over: "all" | "not completed", signal: AbortSignal): Promise<void> {
    if (!this.#byId) {
      try {
        await this.#readPages(over, signal);
        return;
      } catch (error) {
        if (!isMissingCall(error)) throw error;
        this.#byId = true;
      }
    }
    await this.#readById(signal);
  }

  async #readPages(over: "all" | "not completed", signal: AbortSignal): Promise<void> {
    const query = {
      instanceIdPrefix: instanceIdPrefixOf(this.runId),
      ...(over === "not completed" && { statuses: NOT_COMPLETED }),
    };
    this.tally.beginPass();
    this.parts.beginPass();
    for await (const page of pagesOf(this.client, query, signal)) {
      for (const state of page) {
        if (runIdOf(state.instanceId) === this.runId) this.tally.add(state);
        else if (runIdOfPart(state.instanceId) === this.runId) this.parts.add(state);
      }
    }
    this.tally.endPass(over);
    this.parts.endPass(over);
  }

  /** Reads the unfinished instances again, then the numbers after the last known one. */
  async #readById(signal: AbortSignal): Promise<void> {
    this.tally.beginPass();
    await this.#ask(this.tally.ids(isUnfinished), signal);
    let next = this.tally.ids().reduce((next, id) => Math.max(next, (sequenceOf(id) ?? 0) + 1), 0);
    let found: number;
    do {
      const block = Array.from({ length: BLOCK }, (_, index) => instanceIdOf(this.runId, next + index));
      found = await this.#ask(block, signal);
      next += BLOCK;
    } while (found > 0);
    this.tally.endPass("some");
  }

  async #ask(ids: readonly string[], signal: AbortSignal): Promise<number> {
    let found = 0;
    await concurrently(ids, CONCURRENCY, signal, async (id) => {
      const state = await this.client.getInstance(id, { signal });
      if (!state) return;
      found += 1;
      this.tally.add(state);
    });
    signal.throwIfAborted();
    return found;
  }
}
