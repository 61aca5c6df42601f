import { status, type ServiceError } from "@grpc/grpc-js";
import { isServiceError, type AttemptGate } from "./call-retry.js";

/** A backend that is away for less is soon back, or refuses some calls only. */
const GRACE_MS = 1_000;
/** After so long without an answer to any call, one asks whether the backend is there. */
const QUIET_MS = 1_000;
const LOOK_EVERY_MS = 500;

/** A time in which a backend answers no call. */
export interface Absence {
  /** The first call that found it away, on the clock of `performance.now()`. */
  readonly sinceMs: number;
  /** What the last call found. */
  readonly found: string;
  /** Nobody is there. Otherwise somebody is, perhaps, and does not answer in time. */
  readonly isUnreachable: boolean;
}

/**
 * Whether a backend answers, as all calls of a client find it. A run watches it: when a backend has been unreachable for a
 * second, its calls wait until a small call of the watch is answered. A hundred that wait are no more load for a backend that
 * comes back than one. No call waits for one that is only slow, because that would change the load.
 */
export class Reachability implements AttemptGate {
  #absence: Absence | undefined;
  #answeredMs = performance.now();
  #patienceMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  readonly #waiting = new Set<() => void>();

  /** `probe` is a small call with a short deadline. */
  constructor(readonly probe: () => Promise<unknown>) {}

  /** Undefined while nobody watches: then no call is made to find its end. */
  get absence(): Absence | undefined {
    return this.#isWatched ? this.#absence : undefined;
  }

  get isHopeless(): boolean {
    return this.#isWatched && this.#hasBeenAwayFor(this.#patienceMs);
  }

  /** From now on, calls wait for so long for a backend that is unreachable. */
  watch(patienceMs: number): void {
    this.#patienceMs = patienceMs;
    this.#answeredMs = performance.now();
    this.#timer ??= setInterval(() => void this.#look(), LOOK_EVERY_MS).unref();
  }

  /** Calls that wait try at once. */
  stopWatching(): void {
    this.#patienceMs = 0;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#release();
  }

  answered(): void {
    this.#answeredMs = performance.now();
    if (this.#absence === undefined) return;
    this.#absence = undefined;
    this.#release();
  }

  /** Any answer is one, but not that time was up. */
  failed({ code, details }: ServiceError): void {
    if (code === status.UNAVAILABLE) this.#found(`UNAVAILABLE: ${details}`, true);
    else if (code !== status.CANCELLED && code !== status.DEADLINE_EXCEEDED) this.answered();
  }

  /** Resolves at once unless the backend is unreachable, and when the signal aborts. */
  async ready(signal: AbortSignal | undefined): Promise<void> {
    if (!this.#isWatched || !this.#absence?.isUnreachable || !this.#hasBeenAwayFor(GRACE_MS) || this.isHopeless) return;
    await new Promise<void>((resolve) => {
      const next = (): void => {
        this.#waiting.delete(next);
        signal?.removeEventListener("abort", next);
        resolve();
      };
      this.#waiting.add(next);
      signal?.addEventListener("abort", next);
    });
  }

  get #isWatched(): boolean {
    return this.#patienceMs > 0;
  }

  async #look(): Promise<void> {
    const sentMs = performance.now();
    if (this.#isLooking || (this.#absence === undefined && sentMs - this.#answeredMs < QUIET_MS)) return;
    this.#isLooking = true;
    try {
      await this.probe();
      this.answered();
    } catch (error) {
      if (!isServiceError(error)) return;
      this.failed(error);
      // Another call may have been answered meanwhile.
      if (error.code === status.DEADLINE_EXCEEDED && this.#answeredMs < sentMs)
        this.#found("DEADLINE_EXCEEDED: no call was answered in time", false, sentMs);
    } finally {
      this.#isLooking = false;
    }
    if (this.isHopeless) this.#release();
  }

  #found(found: string, isUnreachable: boolean, sinceMs = performance.now()): void {
    this.#absence = { sinceMs: this.#absence?.sinceMs ?? sinceMs, found, isUnreachable };
  }

  #hasBeenAwayFor(ms: number): boolean {
    return this.#absence !== undefined && performance.now() - this.#absence.sinceMs >= ms;
  }

  #release(): void {
    for (const next of this.#waiting) next();
  }
}
