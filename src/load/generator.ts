import { setTimeout as sleep } from "node:timers/promises";
import type { InstanceState, OrchestrationClient } from "../backend/orchestration-client.js";
import { FanoutError } from "../errors.js";
import type { Completion, Start } from "../stats/completion.js";
import type { Clock } from "./clock.js";
import { concurrently } from "./concurrently.js";
import { completionOf } from "./outcome.js";
import { instanceIdOf } from "./run-id.js";
import { errorText } from "../format/error-text.js";

/** A backend with one connection of 100 streams would queue more than this inside the client, unseen. */
const OUTSTANDING_STARTS = 100;
const RETRY_PAUSE_MS = 1_000;
/** UNKNOWN, DEADLINE_EXCEEDED, CANCELLED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE: a wait may be asked again. */
const WORTH_ANOTHER_WAIT = new Set<unknown>([1, 2, 4, 8, 10, 13, 14]);

export interface GeneratorOptions {
  readonly client: OrchestrationClient;
  readonly runId: string;
  readonly orchestrations: number;
  readonly orchestration: { readonly name: string; readonly input: unknown; readonly activities: number | undefined };
  readonly clock: Clock;
  /** No start leaves after this aborts. */
  readonly stopStarting: AbortSignal;
  /** After this aborts nothing is waited for: what has not ended by then stays unfinished. */
  readonly stopWaiting: AbortSignal;
  readonly onStart: (start: Start) => void;
  readonly onCompletion: (completion: Completion) => void;
}

/** Starts all orchestrations at once and follows each to its end. */
export class Generator {
  /** Accepted instances that have not ended, as far as is known. */
  readonly inFlight = new Set<string>();
  readonly #allStarted = Promise.withResolvers<void>();

  constructor(readonly options: GeneratorOptions) {}

  /** Resolves when the last start has been answered, or none will leave any more. */
  get allStarted(): Promise<void> {
    return this.#allStarted.promise;
  }

  /**
   * All starts are due at `intendedMs`. Resolves when every started instance has ended, or `stopWaiting` has aborted.
   */
  async run(intendedMs: number): Promise<void> {
    const { orchestrations, stopStarting } = this.options;
    const waits: Promise<void>[] = [];
    await concurrently(sequence(orchestrations), OUTSTANDING_STARTS, stopStarting, async (number) => {
      const start = await this.#start(instanceIdOf(this.options.runId, number), intendedMs);
      if (start) waits.push(this.#follow(start));
    });
    this.#allStarted.resolve();
    await Promise.all(waits);
  }

  async #start(instanceId: string, intendedMs: number): Promise<Start | undefined> {
    const { client, orchestration, clock, stopWaiting, onStart, onCompletion } = this.options;
    const sentMs = clock();
    try {
      const { name, input } = orchestration;
      await client.startInstance({ instanceId, name, input }, { signal: stopWaiting });
    } catch (error) {
      const start = { instanceId, intendedMs, sentMs, acceptedMs: undefined };
      onStart(start);
      // A start that was given up on may have been accepted: it stays unfinished, it has not failed.
      if (stopWaiting.aborted) return undefined;
      const failure = { type: "StartRefused", message: errorText(error) };
      onCompletion({ start, noticedMs: clock(), outcome: "failed", server: undefined, failure });
      return undefined;
    }
    const start = { instanceId, intendedMs, sentMs, acceptedMs: clock() };
    this.inFlight.add(instanceId);
    onStart(start);
    return start;
  }

  async #follow(start: Start): Promise<void> {
    const { orchestration, clock, stopWaiting, onCompletion } = this.options;
    try {
      const state = await this.#waitFor(start.instanceId);
      onCompletion(completionOf(start, state, clock(), orchestration.activities));
    } catch (error) {
      if (stopWaiting.aborted) return;
      const failure = { type: "WaitFailed", message: errorText(error) };
      onCompletion({ start, noticedMs: clock(), outcome: "failed", server: undefined, failure });
    }
    this.inFlight.delete(start.instanceId);
  }

  async #waitFor(instanceId: string): Promise<InstanceState | undefined> {
    const { client, stopWaiting } = this.options;
    for (;;) {
      try {
        return await client.waitForCompletion(instanceId, { signal: stopWaiting });
      } catch (error) {
        if (stopWaiting.aborted || !isWorthAnotherWait(error)) throw error;
        await sleep(RETRY_PAUSE_MS, undefined, { signal: stopWaiting });
      }
    }
  }
}

function* sequence(length: number): Iterable<number> {
  for (let number = 0; number < length; number += 1) yield number;
}

/** Until the run's own timeout a backend that is away, a FanoutError, may come back with all it had. */
function isWorthAnotherWait(error: unknown): boolean {
  if (error instanceof FanoutError) return true;
  return error instanceof Error && "code" in error && WORTH_ANOTHER_WAIT.has(error.code);
}
