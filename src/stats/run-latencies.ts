import type { Completion, Start } from "./completion.js";
import { CrossingLatency } from "./crossing-latency.js";
import { earliestEndMs, type BridgedTime } from "./clock-bridge.js";
import type { LeastLatencies } from "./result-so-far.js";
import type { RunBuckets } from "./latency-buckets.js";
import { LatencyHistogram, NOTHING } from "./latency-histogram.js";
import type { Censored } from "../result/stored-percentile.js";
import { LatencyDrift } from "./latency-drift.js";
import type {
  DurationTally,
  EncodedHistogram,
  LatenciesTally,
  LatencyShares,
  LatencySummary,
  RunResult,
} from "../result/run-result.js";

/** A tally during the run. */
export interface NoticedTally extends LatenciesTally {
  readonly least?: { readonly response: DurationTally; readonly service: DurationTally };
}

/** The latencies of the measured part of a run. */
export class RunLatencies {
  readonly response = new CrossingLatency();
  readonly service = new CrossingLatency();
  readonly #detectionLag = new LatencyHistogram();
  readonly #startRpc = new LatencyHistogram();
  readonly #slip = new LatencyHistogram();
  readonly #unheldSlip = new LatencyHistogram();
  readonly #slipDrift = new LatencyDrift();
  /**
   * Response time as if the generator had sent each start on time. The wait because of `--max-in-flight` still counts.
   */
  readonly #punctual = new CrossingLatency();
  readonly #server = new LatencyHistogram();
  /** Until the earliest time that the completion may get once the backend's clock is known. */
  readonly #least = { response: new LatencyHistogram(), service: new LatencyHistogram() };
  #lagBoundMs = 0;

  tally(): LatenciesTally {
    return {
      response: this.response.tally(),
      service: this.service.tally(),
      punctual: this.#punctual.tally(),
      detectionLag: this.#detectionLag.tally(),
      startRpc: this.#startRpc.tally(),
      slip: this.#slip.tally(),
      unheldSlip: this.#unheldSlip.tally(),
      server: this.#server.tally(),
      slipDrift: this.#slipDrift.tally(),
      lagBoundMs: this.#lagBoundMs,
    };
  }

  /** What `summariesNoticed` needs of them, without the rest. */
  tallyNoticed(): NoticedTally {
    return {
      response: this.response.tallyNoticed(),
      service: this.service.tallyNoticed(),
      punctual: { completed: NOTHING, noticed: NOTHING, boundMs: 0 },
      detectionLag: this.#detectionLag.tally(),
      startRpc: this.#startRpc.tally(),
      slip: this.#slip.tally(),
      unheldSlip: NOTHING,
      server: this.#server.tally(),
      slipDrift: this.#slipDrift.tally(),
      lagBoundMs: this.#lagBoundMs,
      least: { response: this.#least.response.tally(), service: this.#least.service.tally() },
    };
  }

  /** Adds everything of another generator. */
  absorb(other: NoticedTally): void {
    this.response.absorb(other.response);
    this.service.absorb(other.service);
    this.#punctual.absorb(other.punctual);
    this.#detectionLag.absorb(other.detectionLag);
    this.#startRpc.absorb(other.startRpc);
    this.#slip.absorb(other.slip);
    this.#unheldSlip.absorb(other.unheldSlip);
    this.#server.absorb(other.server);
    this.#slipDrift.absorb(other.slipDrift);
    this.#lagBoundMs = Math.max(this.#lagBoundMs, other.lagBoundMs);
    if (!other.least) return;
    this.#least.response.absorb(other.least.response);
    this.#least.service.absorb(other.least.service);
  }

  addSend({ intendedMs, sentMs, heldBack }: Start): void {
    this.#slip.add(sentMs - intendedMs);
    if (heldBack) return;
    this.#unheldSlip.add(sentMs - intendedMs);
    this.#slipDrift.add(intendedMs, sentMs - intendedMs);
  }

  addAnswer({ sentMs, acceptedMs }: Start): void {
    if (acceptedMs !== undefined) this.#startRpc.add(acceptedMs - sentMs);
  }

  /** Adds a completion. */
  addNoticed({ start, noticedMs, server }: Completion): void {
    const { intendedMs, sentMs, acceptedMs } = start;
    const leastMs = earliestEndMs({ sentMs, noticedMs, server });
    this.#least.response.add(Math.max(0, leastMs - intendedMs));
    if (acceptedMs !== undefined) this.#least.service.add(Math.max(0, leastMs - acceptedMs));
    this.response.addNoticed(noticedMs - intendedMs);
    this.#punctual.addNoticed(noticedMs - leftMs(start));
    if (acceptedMs !== undefined) this.service.addNoticed(noticedMs - acceptedMs);
    if (server) this.#server.add(server.completedMs - server.createdMs);
  }

  /** Adds the same completion after the backend's clock is known. */
  addBridged({ start, noticedMs }: Completion, { completedMs, boundMs }: BridgedTime): void {
    this.response.addCompleted(completedMs - start.intendedMs, boundMs);
    this.#punctual.addCompleted(completedMs - leftMs(start), boundMs);
    if (start.acceptedMs !== undefined) this.service.addCompleted(completedMs - start.acceptedMs, boundMs);
    this.#detectionLag.add(Math.max(0, noticedMs - completedMs));
    this.#lagBoundMs = Math.max(this.#lagBoundMs, boundMs);
  }

  /** The slip of the starts that nothing held back. */
  get unheldSlip(): LatencySummary | undefined {
    return this.#unheldSlip.summary();
  }

  /** The growth of the slip of those starts over `lengthMs`, in milliseconds. */
  slipGrowthMs(lengthMs: number): number {
    return this.#slipDrift.over(lengthMs);
  }

  /** The share of slip in the response time, for each printed figure; undefined without a sample. */
  slipShares({ response: censored }: Censored): LatencyShares | undefined {
    const response = this.response.summaryUntil(this.response.until, censored);
    const punctual = this.#punctual.summaryUntil(this.response.until, censored);
    return response && punctual && sharesOf(response, punctual);
  }

  summaries(censored: Censored, { hasResponse }: { readonly hasResponse: boolean }): RunResult["latencyMs"] {
    const lag = this.#detectionLag.summary(censored.service);
    return present({
      response: hasResponse ? this.response.summary(censored.response) : undefined,
      service: this.service.summary(censored.service),
      server: this.#server.summary(censored.service),
      detectionLag: lag && { ...lag, boundMs: this.#lagBoundMs },
      startRpc: this.#startRpc.summary(),
      slip: this.#slip.summary(),
    });
  }

  /** The summaries during the run, when the backend's clock is not known yet. */
  summariesNoticed(censored: Censored, { hasResponse }: { readonly hasResponse: boolean }): RunResult["latencyMs"] {
    return {
      ...this.summaries(censored, { hasResponse }),
      ...present({
        response: hasResponse ? this.response.summaryNoticed(censored.response) : undefined,
        service: this.service.summaryNoticed(censored.service),
      }),
    };
  }

  /** What the figures of the result will be at least, however late the ends were noticed. */
  summariesLeast(censored: Censored, { hasResponse }: { readonly hasResponse: boolean }): LeastLatencies {
    return present({
      response: hasResponse ? this.#least.response.summary(censored.response) : undefined,
      service: this.#least.service.summary(censored.service),
    });
  }

  /** The histograms so far, for monitoring. */
  buckets({ hasResponse }: { readonly hasResponse: boolean }): RunBuckets {
    return present({
      response: hasResponse ? this.response.buckets() : undefined,
      service: this.service.buckets(),
      server: this.#server.buckets(),
      startRpc: this.#startRpc.buckets(),
      slip: this.#slip.buckets(),
    });
  }

  encoded({ hasResponse }: { readonly hasResponse: boolean }): Readonly<Record<string, EncodedHistogram>> {
    return present({
      response: hasResponse ? this.response.encoded() : undefined,
      service: this.service.encoded(),
      server: this.#server.encoded(),
      detectionLag: this.#detectionLag.encoded(),
      startRpc: this.#startRpc.encoded(),
      slip: this.#slip.encoded(),
    });
  }
}

function leftMs({ intendedMs, sentMs, heldBack }: Start): number {
  return heldBack ? intendedMs : sentMs;
}

function sharesOf(whole: LatencySummary, rest: LatencySummary): LatencyShares {
  return present({
    mean: shareBeyond(rest.mean, whole.mean),
    p50: shareBeyond(rest.p50, whole.p50),
    p90: shareBeyond(rest.p90, whole.p90),
    p95: shareBeyond(rest.p95, whole.p95),
    p99: shareBeyond(rest.p99, whole.p99),
    p999: shareBeyond(rest.p999, whole.p999),
  });
}

function shareBeyond(part: number | undefined, whole: number | undefined): number | undefined {
  return part === undefined || whole === undefined || whole === 0 ? undefined : Math.max(0, (whole - part) / whole);
}

/** Drops undefined fields. */
function present<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as ReturnType<
    typeof present<T>
  >;
}
