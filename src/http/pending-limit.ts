import { isMissingCall } from "../backend/missing-call.js";
import type { OrchestrationClient } from "../backend/orchestration-client.js";
import { formatCount, plural } from "../format/count.js";
import { concurrently } from "../async/concurrently.js";
import { isEnded } from "../backend/ended-status.js";
import { FAN_OUT_FAN_IN_ORCHESTRATION } from "../orchestrations/fan-out-fan-in-contract.js";
import { HttpError } from "./http-error.js";
import { Patience } from "./patience.js";

const PAGE_SIZE = 1_000;
/** The oldest starts to check, if the backend cannot list pending instances. */
const LOOKED_AT = 500;
const LOOKS_AT_ONCE = 16;
const LEAST_PAUSE_MS = 1_000;
/** The largest share of the time that counting may take, so that it does not become part of the load. */
const COUNTING_SHARE = 1 / 5;

/**
 * Bounds the unfinished orchestrations of the workload on the whole task hub, whoever started them and when.
 * The hub is counted for the first request, and when a request does not fit the estimate. Between two counts the
 * estimate adds starts of this server and of its runs, and ignores ends. It learns of other starts with the next count.
 * If the backend cannot list instances, the server asks about those that it started, the oldest first.
 */
export class PendingLimit {
  readonly #most: number;
  readonly #client: () => Promise<OrchestrationClient>;
  #counted: number | undefined;
  #startedSince = 0;
  #beingStarted = 0;
  #counting: Promise<void> | undefined;
  #noCountBeforeMs = -Infinity;
  /** Started here and not known to have ended. Used only if the backend cannot list instances. */
  #ledger: Set<string> | undefined;
  /** In flight of the runs of this server. They start as many as their plans say, and are not refused. */
  readonly #ofRuns: () => number;
  /** How many of them the last count has in it. */
  #countedOfRuns = 0;

  constructor(most: number, client: () => Promise<OrchestrationClient>, ofRuns = (): number => 0) {
    this.#most = most;
    this.#client = client;
    this.#ofRuns = ofRuns;
  }

  /**
   * Lets a request start `count` orchestrations. Resolves with their ids.
   * @throws HttpError 400 if `count` exceeds the limit, 429 if it has to wait
   */
  async admit(count: number, start: () => Promise<string[]>): Promise<string[]> {
    if (count > this.#most) {
      const message = `expected at most ${formatCount(this.#most)} (--max-pending), found ${formatCount(count)}`;
      throw new HttpError(400, `parallelOrchestrations: ${message}.`, { field: "parallelOrchestrations" });
    }
    if (!this.#fits(count)) await this.#recount();
    if (!this.#fits(count)) throw this.#refusal(count);
    this.#beingStarted += count;
    let started: readonly string[] = [];
    try {
      const ids = await start();
      started = ids;
      return ids;
    } catch (error) {
      if (error instanceof HttpError) started = error.instanceIds ?? [];
      throw error;
    } finally {
      this.#beingStarted -= count;
      this.#startedSince += started.length;
      for (const id of started) this.#ledger?.add(id);
    }
  }

  get #pending(): number {
    const ofRuns = Math.max(0, this.#ofRuns() - this.#countedOfRuns);
    return (this.#counted ?? Infinity) + this.#startedSince + this.#beingStarted + ofRuns;
  }

  #fits(count: number): boolean {
    return this.#pending + count <= this.#most;
  }

  #refusal(count: number): HttpError {
    const pending = plural(this.#pending, "orchestration");
    return new HttpError(
      429,
      `The task hub has ${pending} that ${this.#pending === 1 ? "has" : "have"} not ended; ${formatCount(count)} more ` +
        `would exceed ${formatCount(this.#most)} (--max-pending).`,
      { hint: "Try again when some have ended." },
    );
  }

  /** Counts once for all waiting requests, and not too soon after the last count. */
  async #recount(): Promise<void> {
    if (this.#counting === undefined && performance.now() < this.#noCountBeforeMs) return;
    this.#counting ??= this.#countHub().finally(() => {
      this.#counting = undefined;
    });
    await this.#counting;
  }

  async #countHub(): Promise<void> {
    const beganMs = performance.now();
    // An instance that starts during the count may be counted twice, until the next count.
    const startedBefore = this.#startedSince;
    const ofRuns = this.#ofRuns();
    this.#counted = this.#ledger === undefined ? await this.#countListed() : await this.#countLedger(this.#ledger);
    this.#startedSince -= startedBefore;
    this.#countedOfRuns = this.#ledger === undefined ? ofRuns : 0;
    const tookMs = performance.now() - beganMs;
    this.#noCountBeforeMs = performance.now() + Math.max(LEAST_PAUSE_MS, tookMs / COUNTING_SHARE - tookMs);
  }

  async #countListed(): Promise<number> {
    using patience = new Patience();
    const { signal } = patience;
    let pending = 0;
    let continuationToken: string | undefined;
    try {
      const client = await this.#client();
      do {
        const page = await client.queryInstances(
          { statuses: ["Pending", "Running"], pageSize: PAGE_SIZE, payloads: false, continuationToken },
          { signal },
        );
        patience.progressed();
        pending += page.instances.filter(({ name }) => name === FAN_OUT_FAN_IN_ORCHESTRATION).length;
        continuationToken = page.continuationToken;
      } while (continuationToken !== undefined && pending < this.#most);
    } catch (error) {
      if (!isMissingCall(error)) throw error;
      this.#ledger = new Set();
    }
    return pending;
  }

  async #countLedger(ledger: Set<string>): Promise<number> {
    using patience = new Patience();
    const { signal } = patience;
    const client = await this.#client();
    const oldest = [...ledger].slice(0, LOOKED_AT);
    await concurrently(oldest, LOOKS_AT_ONCE, signal, async (id) => {
      const state = await client.getInstance(id, { signal });
      patience.progressed();
      ledger.delete(id);
      // It moves behind the others, so that the next check begins with them.
      if (state !== undefined && !isEnded(state.status)) ledger.add(id);
    });
    return ledger.size;
  }
}
