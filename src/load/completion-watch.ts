import type { InstanceState, OrchestrationClient } from "../backend/orchestration-client.js";
import type { Clock } from "../async/clock.js";
import { NoticingCalls } from "./noticing/noticing-calls.js";
import { OpenInstances } from "./noticing/open-instances.js";
import { Poller } from "./noticing/poller.js";
import { isWorthAnotherTry, RETRY_PAUSE_MS } from "./noticing/worth-another-try.js";
import { wait as realWait, type Wait } from "../async/wait.js";

/** WaitForInstanceCompletion calls that are open at a time: each holds a stream of a connection. */
const WAITS = 200;

export interface CompletionWatchOptions {
  readonly client: OrchestrationClient;
  readonly runId: string;
  readonly clock: Clock;
  /** After this aborts nothing is waited for. */
  readonly signal: AbortSignal;
  readonly wait?: Wait;
}

/**
 * Notices that instances have ended: 200 of them by a waiting call each, the others by polling, so that 100,000 in
 * flight do not mean 100,000 open calls. Once there are no more than 200, they too are waited for.
 */
export class CompletionWatch {
  /** Calls made to notice, by their name. */
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
   * Resolves when the instance has ended, or with undefined when the backend no longer knows it. Its state may have been
   * read without payloads. Rejects with an error that is not worth another try, and with the reason of the signal when
   * that aborts.
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

  /** A call tells of an end at once, a poll a pause later. */
  #waitForTheLast(): void {
    if (this.#open.size > WAITS - this.#waits) return;
    for (const [instanceId, { resolve, reject }] of this.#open.takeAll())
      this.#untilCallEnds(instanceId).then(resolve, reject);
  }
}
