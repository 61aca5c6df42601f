import type { Completion, Start } from "./completion.js";
import { CrossingLatency } from "./crossing-latency.js";
import { LatencyHistogram } from "./latency.js";
import type { EncodedHistogram, LatencySummary, RunResult } from "./run-result.js";

/** A moment of the backend's, on the client's clock: true within plus or minus the bound. */
export interface BridgedTime {
  readonly completedMs: number;
  readonly boundMs: number;
}

/** The latencies of what is measured of a run. */
export class RunLatencies {
  readonly response = new CrossingLatency();
  readonly service = new CrossingLatency();
  readonly #detectionLag = new LatencyHistogram();
  readonly #startRpc = new LatencyHistogram();
  readonly #slip = new LatencyHistogram();
  readonly #unheldSlip = new LatencyHistogram();
  readonly #server = new LatencyHistogram();
  #lagBoundMs = 0;

  addSend({ intendedMs, sentMs, heldBack }: Start): void {
    this.#slip.add(sentMs - intendedMs);
    if (!heldBack) this.#unheldSlip.add(sentMs - intendedMs);
  }

  addAnswer({ sentMs, acceptedMs }: Start): void {
    if (acceptedMs !== undefined) this.#startRpc.add(acceptedMs - sentMs);
  }

  /** Of one that completed. */
  addNoticed({ start, noticedMs, server }: Completion): void {
    this.response.addNoticed(noticedMs - start.intendedMs);
    if (start.acceptedMs !== undefined) this.service.addNoticed(noticedMs - start.acceptedMs);
    if (server) this.#server.add(server.completedMs - server.createdMs);
  }

  /** The same completion, once the backend's clock is known. */
  addBridged({ start, noticedMs }: Completion, { completedMs, boundMs }: BridgedTime): void {
    this.response.addCompleted(completedMs - start.intendedMs, boundMs);
    if (start.acceptedMs !== undefined) this.service.addCompleted(completedMs - start.acceptedMs, boundMs);
    this.#detectionLag.add(Math.max(0, noticedMs - completedMs));
    this.#lagBoundMs = Math.max(this.#lagBoundMs, boundMs);
  }

  /** Of the starts that nothing held back. */
  get unheldSlip(): LatencySummary | undefined {
    return this.#unheldSlip.summary();
  }

  /** `censored` is the share of the started whose end is not known. */
  summaries(censored: number, { hasResponse }: { readonly hasResponse: boolean }): RunResult["latencyMs"] {
    const lag = this.#detectionLag.summary(censored);
    return present({
      response: hasResponse ? this.response.summary(censored) : undefined,
      service: this.service.summary(censored),
      server: this.#server.summary(censored),
      detectionLag: lag && { ...lag, boundMs: this.#lagBoundMs },
      startRpc: this.#startRpc.summary(),
      slip: this.#slip.summary(),
    });
  }

  /** While the run goes on: the backend's clock is not known at once. */
  summariesNoticed(censored: number, { hasResponse }: { readonly hasResponse: boolean }): RunResult["latencyMs"] {
    return {
      ...this.summaries(censored, { hasResponse }),
      ...present({
        response: hasResponse ? this.response.summaryNoticed(censored) : undefined,
        service: this.service.summaryNoticed(censored),
      }),
    };
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

/** Leaves out what is undefined. */
function present<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as ReturnType<
    typeof present<T>
  >;
}
