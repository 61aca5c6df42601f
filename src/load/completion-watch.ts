import type { InstanceState, OrchestrationClient } from "../backend/orchestration-client.js";
import type { Clock } from "../async/clock.js";
import { NoticingCalls } from "./noticing/noticing-calls.js";
import { OpenInstances } from "./noticing/open-instances.js";
import { Poller } from "./noticing/poller.js";
import { isWorthAnotherTry, RETRY_PAUSE_MS } from "./noticing/worth-another-try.js";
import { wait as realWait, type Wait } from "../async/wait.js";

/** The limit of open WaitForInstanceCompletion calls. Each one holds a stream of a connection. */
const WAITS = 200;

export interface CompletionWatchOptions {
  readonly client: OrchestrationClient;
  readonly runId: string;
  readonly clock: Clock;
  /** After this aborts, nothing is awaited. */
  readonly signal: AbortSignal;
  readonly wait?: Wait;
}

/**
 * Notices the end of instances: 200 with a waiting call each, and the others by polling, so that 100,000 instances in
 * flight do not need 100,000 open calls. The last 200 get waiting calls too.
 */
export class CompletionWatch {
  /** The number of noticing calls by name. */
  readonly calls: Readonly<Record<string, number>>;
  readonly #calls: NoticingCalls;
  readonly #open: OpenInstances;
  readonly #poller: Poller;
  readonly #wait: Wait;
  #waits = 0;

  constructor(readonly options: CompletionWatchOptions) {
    const { client, runId, clock, signal, wait = realWait } = options;
    this.#wait = wait;
    this.#calls = new NoticingCalls(client, signal);
    this.calls = this.#calls.made;
    this.#open = new OpenInstances(runId, clock);
    this.#poller = new Poller({
      calls: this.#calls,
      open: this.#open,
      clock,
      wait,
      signal,
      beforePoll: () => this.#waitForTheLast(),
    });
    signal.addEventListener("abort", () => this.#open.rejectAll(signal.reason), { once: true });
  }

  /**
   * Resolves when the instance has ended, or with undefined if the backend no longer knows it. The state may lack
   * payloads. Rejects with an error that a retry cannot repair, and with the signal's reason after an abort.
   */
  async untilEnded(instanceId: string): Promise<InstanceState | undefined> {
    this.options.signal.throwIfAborted();
    if (this.#waits < WAITS) return this.#untilCallEnds(instanceId);
    const ended = this.#open.add(instanceId);
    this.#poller.start();
    return ended;
  }

  async #untilCallEnds(instanceId: string): Promise<InstanceState | undefined> {
    const { signal } = this.options;
    this.#waits += 1;
    try {
      for (;;) {
        try {
          return await this.#calls.untilEnded(instanceId);
        } catch (error) {
          signal.throwIfAborted();
          if (!isWorthAnotherTry(error)) throw error;
          await this.#wait(RETRY_PAUSE_MS, signal);
          signal.throwIfAborted();
        }
      }
    } finally {
      this.#waits -= 1;
    }
  }

  /** A waiting call reports an end at once. A poll reports it one pause later. */
  #waitForTheLast(): void {
    if (this.#open.size > WAITS - this.#waits) return;
    for (const [instanceId, { resolve, reject }] of this.#open.takeAll())
      this.#untilCallEnds(instanceId).then(resolve, reject);
  }
}
