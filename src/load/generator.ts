import type { OrchestrationClient } from "../backend/orchestration-client.js";
import { UnansweredStart } from "../backend/unanswered-start.js";
import type { Completion, Start } from "../stats/completion.js";
import type { LoadShape } from "../result/load-shape.js";
import { errorText } from "../format/error-text.js";
import { aborted } from "../async/aborted.js";
import { arrivals } from "./arrivals.js";
import type { Clock } from "../async/clock.js";
import type { CompletionWatch } from "./completion-watch.js";
import { concurrently } from "../async/concurrently.js";
import { completionOf } from "./outcome.js";
import type { StartedOrchestration } from "../plan/orchestration-of.js";
import type { LoadPlan } from "../plan/plan.js";
import { instanceIdOf } from "../plan/run-id.js";
import type { Wait } from "../async/wait.js";

/** A backend with one connection of 100 streams would queue more than this inside the client, unseen. */
const OUTSTANDING_STARTS = 100;
const AFTER_REFUSAL_MS = 100;
/** Pauses between the attempts to learn whether a start was taken: the first, doubling to the longest. */
const ASK_AGAIN = { firstMs: 500, longestMs: 10_000 };

type ShapeOf<K extends LoadShape["kind"]> = Extract<LoadShape, { kind: K }>;

export interface GeneratorOptions {
  readonly client: OrchestrationClient;
  readonly watch: Pick<CompletionWatch, "untilEnded">;
  readonly runId: string;
  readonly plan: Pick<LoadPlan, "load" | "parallelOrchestrations" | "warmupMs" | "seed">;
  readonly orchestration: StartedOrchestration;
  readonly clock: Clock;
  readonly wait: Wait;
  /** No start leaves after this aborts. */
  readonly stopStarting: AbortSignal;
  /** After this aborts nothing is waited for: what has not ended by then stays unfinished. */
  readonly stopWaiting: AbortSignal;
  /** A start leaves; that it was acknowledged or refused comes to `onAnswer`. */
  readonly onSend: (start: Start) => void;
  readonly onAnswer: (start: Start) => void;
  /** The answer to a start did not come, and it was learnt later that the backend has taken it. */
  readonly onFound: (start: Start) => void;
  readonly onCompletion: (completion: Completion) => void;
}

/** When a start is due, and whether it had to wait for another to end. */
interface Due {
  readonly intendedMs: number;
  readonly heldBack: boolean;
}

type Answer =
  | { readonly kind: "accepted"; readonly start: Start }
  | { readonly kind: "unanswered"; readonly start: Start }
  /** Or given up on. */
  | { readonly kind: "refused" };

/** Starts orchestrations as the plan says, and follows each to its end. */
export class Generator {
  /** Instances that were accepted, or may have been, and have not ended, as far as is known. */
  readonly inFlight = new Set<string>();
  /** Of them, by their numbers, those whose start was not answered: whether the backend has them is not known. */
  readonly unanswered = new Set<number>();
  readonly #allStarted = Promise.withResolvers<void>();
  readonly #answers = new Set<Promise<void>>();
  readonly #follows = new Set<Promise<void>>();
  #started = 0;
  /** Sent and not ended, answered or not. */
  #outstanding = 0;
  /** Lets a start go that waits for another to end. */
  #release: (() => void) | undefined;

  constructor(readonly options: GeneratorOptions) {
    options.stopStarting.addEventListener("abort", () => this.#release?.());
  }

  /** Resolves when the last start has been answered, or is not expected to be, or none will leave any more. */
  get allStarted(): Promise<void> {
    return this.#allStarted.promise;
  }

  /** Resolves when every started instance has ended, or `stopWaiting` has aborted. The plan's times count from `startedMs`. */
  async run(startedMs: number): Promise<void> {
    const { load } = this.options.plan;
    if (load.kind === "once") await this.#startOnce(startedMs);
    else if (load.kind === "closed") await this.#startClosed(load);
    else await this.#startOpen(load, startedMs);
    await settled(this.#answers);
    this.#allStarted.resolve();
    await settled(this.#follows);
  }

  /** All are due at once, and leave as fast as they are answered. */
  async #startOnce(startedMs: number): Promise<void> {
    const { plan, stopStarting } = this.options;
    const all = repeat({ intendedMs: startedMs, heldBack: false }, plan.parallelOrchestrations ?? 1);
    await concurrently(all, OUTSTANDING_STARTS, stopStarting, (due) => this.#launch(due));
  }

  /** The next is due when one has ended, so that so many are in flight. */
  async #startClosed({ durationMs, total = Number.POSITIVE_INFINITY }: ShapeOf<"closed">): Promise<void> {
    const { plan, clock, stopStarting, wait } = this.options;
    const { parallelOrchestrations = 1, warmupMs = 0 } = plan;
    const over = new AbortController();
    const signal = AbortSignal.any([stopStarting, over.signal]);
    const launch = async (): Promise<void> => {
      if (signal.aborted || this.#started >= total) return;
      await this.#launch({ intendedMs: clock(), heldBack: false }, () => void launch());
      if (this.#started >= total) over.abort();
    };
    if (durationMs !== undefined) void wait(warmupMs + durationMs, signal).then(() => over.abort());
    // The first ones a hundred at a time, as when all are started at once.
    await concurrently(repeat(undefined, parallelOrchestrations), OUTSTANDING_STARTS, signal, launch);
    await aborted(signal);
  }

  /** Each leaves when it is due, or when the number in flight lets it. */
  async #startOpen(load: ShapeOf<"open">, startedMs: number): Promise<void> {
    const { plan, clock, stopStarting, wait } = this.options;
    for (const dueMs of arrivals(plan)) {
      const intendedMs = startedMs + dueMs;
      // A timer may fire a fraction of a millisecond early, and a start that left early would have a negative slip.
      for (let earlyMs = intendedMs - clock(); earlyMs > 0 && !stopStarting.aborted; earlyMs = intendedMs - clock())
        await wait(Math.ceil(earlyMs), stopStarting);

      const heldBack = this.#outstanding >= load.maxInFlight;
      while (this.#outstanding >= load.maxInFlight && !stopStarting.aborted)
        await new Promise<void>((resolve) => (this.#release = resolve));

      if (stopStarting.aborted) return;
      void this.#launch({ intendedMs, heldBack });
    }
  }

  /**
   * Starts one and has it followed to its end, which `onEnd` is told. Resolves when the start is answered, or is not
   * expected to be any more.
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
    const { runId, clock, stopWaiting, onSend, onAnswer } = this.options;
    const sequence = this.#started;
    this.#started += 1;
    this.#outstanding += 1;
    const instanceId = instanceIdOf(runId, sequence);
    const sent = { instanceId, sequence, ...due, sentMs: clock(), acceptedMs: undefined };
    onSend(sent);
    try {
      await this.#ask(sent, false);
    } catch (error) {
      // A start that was given up on may have been accepted: it stays unfinished, it has not failed.
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

  async #ask({ instanceId }: Start, again: boolean): Promise<void> {
    const { client, orchestration, stopWaiting } = this.options;
    const { name, input } = orchestration;
    await client.startInstance({ instanceId, name, input }, { signal: stopWaiting, again });
  }

  #refused(start: Start, error: unknown): void {
    const { clock, onAnswer, onCompletion } = this.options;
    onAnswer(start);
    const failure = { type: "StartRefused", message: errorText(error) };
    onCompletion({ start, noticedMs: clock(), outcome: "failed", server: undefined, failure });
  }

  /**
   * Asks for a start again until it is answered, for as long as the run waits and starts anything. It may find itself.
   * When it was accepted is then not known: its latency is that from when it was due.
   */
  async #findOut(start: Start): Promise<void> {
    const { stopStarting, wait, onFound } = this.options;
    let pauseMs = ASK_AGAIN.firstMs;
    for (;;) {
      await wait(pauseMs, stopStarting);
      if (stopStarting.aborted) return;
      pauseMs = Math.min(2 * pauseMs, ASK_AGAIN.longestMs);
      try {
        await this.#ask(start, true);
        break;
      } catch (error) {
        if (stopStarting.aborted) return;
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

/** Resolves when the set has become empty: what is in it removes itself, and may put more into it. */
async function settled(works: ReadonlySet<Promise<void>>): Promise<void> {
  while (works.size > 0) await Promise.all(works);
}
