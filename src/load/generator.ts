import type { OrchestrationClient } from "../backend/orchestration-client.js";
import { UnansweredStart } from "../backend/unanswered-start.js";
import type { Completion, Start } from "../stats/completion.js";
import type { LoadShape } from "../result/load-shape.js";
import { errorText } from "../format/error-text.js";
import { aborted } from "../async/aborted.js";
import { arrivals } from "../plan/arrivals.js";
import type { Clock } from "../async/clock.js";
import type { CompletionWatch } from "./completion-watch.js";
import { concurrently } from "../async/concurrently.js";
import { completionOf } from "./outcome.js";
import type { StartedOrchestration } from "../plan/orchestration-of.js";
import type { LoadPlan } from "../plan/plan.js";
import { instanceIdOf } from "../plan/run-id.js";
import { partOf, sequenceOfShard } from "../result/shard.js";
import type { Wait } from "../async/wait.js";

/** On a backend with one connection of 100 streams, further starts would queue unseen inside the client. */
const OUTSTANDING_STARTS = 100;
const AFTER_REFUSAL_MS = 100;
/** Pauses between the attempts to learn whether a start was accepted. They double from the first to the longest. */
const ASK_AGAIN = { firstMs: 500, longestMs: 10_000 };

type ShapeOf<K extends LoadShape["kind"]> = Extract<LoadShape, { kind: K }>;

export interface GeneratorOptions {
  readonly client: OrchestrationClient;
  readonly watch: Pick<CompletionWatch, "untilEnded">;
  readonly runId: string;
  readonly plan: Pick<LoadPlan, "load" | "parallelOrchestrations" | "warmupMs" | "seed" | "shard">;
  readonly orchestration: StartedOrchestration;
  /** Whether the activities of the instance with this number are to stamp their outputs. */
  readonly isTraced: (sequence: number) => boolean;
  readonly clock: Clock;
  readonly wait: Wait;
  /** After this aborts, no start is sent. */
  readonly stopStarting: AbortSignal;
  /** After this aborts, a start that was not answered is not repeated. */
  readonly stopRepeating: AbortSignal;
  /** After this aborts, nothing is awaited. Instances that have not ended stay unfinished. */
  readonly stopWaiting: AbortSignal;
  /** Called when a start is sent. Its answer comes to `onAnswer`. */
  readonly onSend: (start: Start) => void;
  readonly onAnswer: (start: Start) => void;
  /** Called if a start was not answered, and the backend turned out to have accepted it. */
  readonly onFound: (start: Start) => void;
  readonly onCompletion: (completion: Completion) => void;
}

/** When a start is due, and whether it had to wait for another instance to end. */
interface Due {
  readonly intendedMs: number;
  readonly heldBack: boolean;
}

type Answer =
  | { readonly kind: "accepted"; readonly start: Start }
  | { readonly kind: "unanswered"; readonly start: Start }
  /** The backend refused it, or the run gave it up. */
  | { readonly kind: "refused" };

/** Starts orchestrations by the plan and follows each one to its end. */
export class Generator {
  /** Instances that were accepted, or may have been, and are not known to have ended. */
  readonly inFlight = new Set<string>();
  /** The numbers of those whose start was not answered, so that the backend may not have them. */
  readonly unanswered = new Set<number>();
  readonly #allStarted = Promise.withResolvers<void>();
  readonly #answers = new Set<Promise<void>>();
  readonly #follows = new Set<Promise<void>>();
  #started = 0;
  /** Sent and not ended, answered or not. */
  #outstanding = 0;
  /** Releases a start that waits for another instance to end. */
  #release: (() => void) | undefined;

  constructor(readonly options: GeneratorOptions) {
    options.stopStarting.addEventListener("abort", () => this.#release?.());
  }

  /** Resolves when the last start is answered or given up, or when no more starts will be sent. */
  get allStarted(): Promise<void> {
    return this.#allStarted.promise;
  }

  /** The starts that were sent and are neither answered nor given up. */
  get waitingForAnswer(): number {
    return this.#answers.size;
  }

  /**
   * Resolves when every started instance has ended, or after `stopWaiting` aborts. The times of the plan count from
   * `startedMs`.
   */
  async run(startedMs: number): Promise<void> {
    const { load } = this.options.plan;
    if (load.kind === "once") await this.#startOnce(startedMs);
    else if (load.kind === "closed") await this.#startClosed(load);
    else await this.#startOpen(load, startedMs);
    await settled(this.#answers);
    this.#allStarted.resolve();
    await settled(this.#follows);
  }

  /** All starts are due at once. They are sent as fast as the answers come. */
  async #startOnce(startedMs: number): Promise<void> {
    const { plan, stopStarting } = this.options;
    const all = repeat(
      { intendedMs: startedMs, heldBack: false },
      partOf(plan.parallelOrchestrations ?? 1, plan.shard),
    );
    await concurrently(all, OUTSTANDING_STARTS, stopStarting, (due) => this.#launch(due));
  }

  /** The next start is due when an instance ends, so that the number in flight stays constant. */
  async #startClosed({ durationMs, total: ofAll = Number.POSITIVE_INFINITY }: ShapeOf<"closed">): Promise<void> {
    const { plan, clock, stopStarting, wait } = this.options;
    const { parallelOrchestrations = 1, warmupMs = 0, shard } = plan;
    const total = partOf(ofAll, shard);
    const over = new AbortController();
    const signal = AbortSignal.any([stopStarting, over.signal]);
    const launch = async (): Promise<void> => {
      if (signal.aborted || this.#started >= total) return;
      await this.#launch({ intendedMs: clock(), heldBack: false }, () => void launch());
      if (this.#started >= total) over.abort();
    };
    if (durationMs !== undefined) void wait(warmupMs + durationMs, signal).then(() => over.abort());
    // The first starts are sent a hundred at a time, as when all start at once.
    await concurrently(repeat(undefined, partOf(parallelOrchestrations, shard)), OUTSTANDING_STARTS, signal, launch);
    await aborted(signal);
  }

  /** A start is sent when it is due, or when the number in flight allows it. */
  async #startOpen(load: ShapeOf<"open">, startedMs: number): Promise<void> {
    const { plan, clock, stopStarting, wait } = this.options;
    const maxInFlight = partOf(load.maxInFlight, plan.shard);
    for (const dueMs of arrivals(plan)) {
      const intendedMs = startedMs + dueMs;
      // A timer may fire a fraction of a millisecond early. Such a start would have a negative slip.
      for (let earlyMs = intendedMs - clock(); earlyMs > 0 && !stopStarting.aborted; earlyMs = intendedMs - clock())
        await wait(Math.ceil(earlyMs), stopStarting);

      const heldBack = this.#outstanding >= maxInFlight;
      while (this.#outstanding >= maxInFlight && !stopStarting.aborted)
        await new Promise<void>((resolve) => (this.#release = resolve));

      if (stopStarting.aborted) return;
      void this.#launch({ intendedMs, heldBack });
    }
  }

  /**
   * Starts one instance and follows it to its end, then calls `onEnd`. Resolves when the start is answered or given up.
   */
  #launch(due: Due, onEnd?: () => void): Promise<void> {
    const answer = this.#start(due).then((answered) => {
      this.#answers.delete(answer);
      const follow = this.#afterAnswer(answered).then(() => {
        this.#follows.delete(follow);
        onEnd?.();
      });
      this.#follows.add(follow);
    });
    this.#answers.add(answer);
    return answer;
  }

  #afterAnswer(answer: Answer): Promise<void> {
    switch (answer.kind) {
      case "accepted":
        return this.#follow(answer.start);
      case "unanswered":
        return this.#findOut(answer.start);
      default:
        answer satisfies { readonly kind: "refused" };
        return this.#afterRefusal();
    }
  }

  async #start(due: Due): Promise<Answer> {
    const { runId, plan, clock, stopWaiting, onSend, onAnswer } = this.options;
    const sequence = sequenceOfShard(this.#started, plan.shard);
    this.#started += 1;
    this.#outstanding += 1;
    const instanceId = instanceIdOf(runId, sequence);
    const sent = { instanceId, sequence, ...due, sentMs: clock(), acceptedMs: undefined };
    onSend(sent);
    try {
      await this.#ask(sent, false);
    } catch (error) {
      // The backend may have accepted a start that was given up. It stays unfinished; it has not failed.
      if (stopWaiting.aborted || error instanceof UnansweredStart) {
        this.inFlight.add(instanceId);
        this.unanswered.add(sequence);
        return { kind: "unanswered", start: sent };
      }
      this.#refused(sent, error);
      return { kind: "refused" };
    }
    const start = { ...sent, acceptedMs: clock() };
    this.inFlight.add(instanceId);
    onAnswer(start);
    return { kind: "accepted", start };
  }

  async #ask({ instanceId, sequence }: Start, again: boolean): Promise<void> {
    const { client, orchestration, stopWaiting, isTraced } = this.options;
    const start = orchestration.startOf(sequence, isTraced(sequence));
    await client.startInstance({ instanceId, ...start }, { signal: stopWaiting, again });
  }

  #refused(start: Start, error: unknown): void {
    const { clock, onAnswer, onCompletion } = this.options;
    onAnswer(start);
    const failure = { type: "StartRefused", message: errorText(error) };
    onCompletion({ start, noticedMs: clock(), outcome: "failed", refused: true, server: undefined, failure });
  }

  /**
   * Repeats a start until it is answered, or until the run no longer waits for its work. It may find its own instance.
   * The time of its acceptance is then unknown: its latency counts from when it was due.
   */
  async #findOut(start: Start): Promise<void> {
    const { stopRepeating, wait, onFound } = this.options;
    let pauseMs = ASK_AGAIN.firstMs;
    for (;;) {
      await wait(pauseMs, stopRepeating);
      if (stopRepeating.aborted) return;
      pauseMs = Math.min(2 * pauseMs, ASK_AGAIN.longestMs);
      try {
        await this.#ask(start, true);
        break;
      } catch (error) {
        if (stopRepeating.aborted) return;
        if (error instanceof UnansweredStart) continue;
        this.#settle(start);
        this.#refused(start, error);
        await this.#afterRefusal();
        return;
      }
    }
    this.unanswered.delete(start.sequence);
    onFound(start);
    await this.#follow(start);
  }

  async #follow(start: Start): Promise<void> {
    const { watch, orchestration, clock, stopWaiting, onCompletion } = this.options;
    try {
      const state = await watch.untilEnded(start.instanceId);
      onCompletion(completionOf(start, state, clock(), orchestration.activities));
    } catch (error) {
      if (stopWaiting.aborted) return;
      const failure = { type: "WaitFailed", message: errorText(error) };
      onCompletion({ start, noticedMs: clock(), outcome: "failed", server: undefined, failure });
    }
    this.#settle(start);
    this.#end();
  }

  #settle({ instanceId, sequence }: Start): void {
    this.inFlight.delete(instanceId);
    this.unanswered.delete(sequence);
  }

  /** A backend that refuses at once must not make a closed loop spin. */
  async #afterRefusal(): Promise<void> {
    const { plan, stopStarting, wait } = this.options;
    if (plan.load.kind === "closed") await wait(AFTER_REFUSAL_MS, stopStarting);
    this.#end();
  }

  #end(): void {
    this.#outstanding -= 1;
    this.#release?.();
    this.#release = undefined;
  }
}

function* repeat<T>(value: T, times: number): Iterable<T> {
  for (let time = 0; time < times; time += 1) yield value;
}

/** Resolves when the set is empty. Its elements remove themselves, and may add more. */
async function settled(works: ReadonlySet<Promise<void>>): Promise<void> {
  while (works.size > 0) await Promise.all(works);
}
