import type { ClockOffset } from "../breakdown/clock-offset.js";
import type { History } from "../breakdown/critical-path.js";
import type { Stamps } from "../breakdown/stamps.js";
import type { MomentFailure } from "../protocol/history-moments.js";
import type { TimelineSpan } from "../result/timeline-schema.js";

type Moment = History[number];
type Asked = Extract<Moment, { kind: "asked" }>;
type Answered = Extract<Moment, { kind: "answered" }>;

/** A span while the history is read. Microseconds by the backend's clock. */
interface OpenSpan {
  readonly asked: Asked;
  readonly iteration: number | undefined;
  readonly attempt: number;
  answer?: Answered;
}

const KINDS = { activity: "activity", timer: "timer", child: "subOrchestration" } as const;

/** How the times of a span are told. */
export interface SpanTimes {
  /** Milliseconds from the start of the instance. */
  readonly ms: (us: number) => number;
  readonly endUs: number;
  /** The offsets of the workers' clocks. */
  readonly workers: ReadonlyMap<string, ClockOffset>;
}

/**
 * What an execution asked for, in order. All that one episode asks for is one iteration. An activity or sub-orchestration is
 * another attempt where its predecessor of the same name failed, the orchestrator then asked for a timer, and asked for it
 * in the episode that this timer began: so SDKs write a retry policy into a history.
 */
export class SpanCollector {
  readonly #spans: OpenSpan[] = [];
  readonly #byId = new Map<number, OpenSpan>();
  readonly #retries = new Retries();
  #iteration = -1;
  /** Whether this episode has begun an iteration. */
  #hasBegun = false;
  episodes = 0;

  add(moment: Moment): void {
    switch (moment.kind) {
      case "orchestrator-started":
        this.episodes += 1;
        this.#hasBegun = false;
        this.#retries.beginEpisode();
        break;
      case "asked":
        this.#ask(moment);
        break;
      case "answered":
        this.#answer(moment);
        break;
      default:
    }
  }

  spans(times: SpanTimes): readonly TimelineSpan[] {
    return this.#spans.map((span) => toldSpan(span, times));
  }

  #ask(asked: Asked): void {
    const before = this.#retries.askedFor(asked);
    const span: OpenSpan = {
      asked,
      iteration: asked.what === "timer" ? undefined : (before?.iteration ?? this.#iterationOf()),
      attempt: before ? before.attempt + 1 : 1,
    };
    this.#spans.push(span);
    this.#byId.set(asked.id, span);
  }

  #iterationOf(): number {
    if (!this.#hasBegun) this.#iteration += 1;
    this.#hasBegun = true;
    return this.#iteration;
  }

  #answer(answer: Answered): void {
    const span = this.#byId.get(answer.id);
    if (!span || span.answer) return;
    span.answer = answer;
    this.#retries.answered(span, answer);
  }
}

/** Which failed span a timer is waited for to repeat. */
class Retries {
  /** Failed ones whose failure this episode began with. */
  #failed: OpenSpan[] = [];
  readonly #byTimer = new Map<number, OpenSpan>();
  /** Those whose timer fired, for this episode to repeat. */
  #due: OpenSpan[] = [];

  beginEpisode(): void {
    this.#failed = [];
    this.#due = [];
  }

  answered(span: OpenSpan, { id, failed }: Answered): void {
    const waiting = this.#byTimer.get(id);
    if (failed) this.#failed.push(span);
    else if (waiting) this.#due.push(waiting);
  }

  /** The one that this repeats. A timer is taken to be for the first failed one that has none. */
  askedFor({ what, id, name }: Asked): OpenSpan | undefined {
    if (what === "timer") {
      const failed = this.#failed.shift();
      if (failed) this.#byTimer.set(id, failed);
      return undefined;
    }
    const at = this.#due.findIndex(({ asked }) => asked.what === what && asked.name === name);
    return at < 0 ? undefined : this.#due.splice(at, 1)[0];
  }
}

function toldSpan({ asked, iteration, attempt, answer }: OpenSpan, times: SpanTimes): TimelineSpan {
  const { name, instanceId, what, atUs } = asked;
  const outcome = answer === undefined ? "open" : answer.failed ? "failed" : "completed";
  const toUs = Math.max(atUs, answer?.atUs ?? times.endUs);
  return {
    kind: KINDS[what],
    ...(name !== undefined && { name }),
    ...(iteration !== undefined && { iteration }),
    ...(attempt > 1 && { attempt }),
    outcome,
    fromMs: times.ms(atUs),
    toMs: times.ms(toUs),
    ...(answer?.stamps && executionOf(answer.stamps, atUs, toUs, times)),
    ...(instanceId !== undefined && { instanceId }),
    ...(answer?.failure && { failure: plainFailure(answer.failure) }),
  };
}

/** The stamps by the backend's clock, within the span. Nothing where the offset of the worker's clock is not known. */
function executionOf(stamps: Stamps, fromUs: number, toUs: number, { ms, workers }: SpanTimes): Partial<TimelineSpan> {
  const { workerId } = stamps;
  const offset = workers.get(workerId)?.at(toUs);
  if (!offset) return { workerId };
  const within = (us: number): number => Math.min(Math.max(Math.round(us - offset.offsetUs), fromUs), toUs);
  return {
    startedMs: ms(within(stamps.startedUs)),
    finishedMs: ms(within(stamps.finishedUs)),
    clockBoundMs: offset.boundUs / 1_000,
    workerId,
  };
}

function plainFailure({ type, message }: MomentFailure): MomentFailure {
  return { type, message };
}
