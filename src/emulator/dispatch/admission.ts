import type { Clock } from "../clock/clock.js";

/**
 * Weight of activities that may wait for workers before no further instance begins. It is more than workers take at a
 * time, so that they never wait for work, and it is about 10 MB of memory.
 */
const MOST_WAITING_WEIGHT = 10_000;
/** An activity weighs 1, and 1 more for each of these of its input: so a weight of 10,000 is 60 MB of inputs at most. */
const BYTES_OF_ONE = 6_144;
/** What the first episode of an orchestrator is taken to schedule before one has shown it. */
const UNKNOWN_WEIGHT = 1_000;
/** For so long it is counted with what it is expected to schedule: a worker that does not answer stops nobody. */
const EXPECTED_MS = 1_000;
/** How much of what is expected of an orchestrator is what its last instance has shown. */
const NEWEST_SHARE = 0.5;
/**
 * However much waits, one more instance begins after this time, and after twice as long where twice as much waits: it may
 * be a small one, and an activity may itself wait for an orchestration.
 */
const PATIENCE_MS = 2_000;
const MOST_PATIENCE_MS = 10_000;
/** How often it is asked again where nothing else gives a reason to. */
export const ASK_AGAIN_MS = 1_000;

export function activityWeight(inputBytes: number): number {
  return 1 + inputBytes / BYTES_OF_ONE;
}

/**
 * Whether one more instance may begin, by what waits for workers already: ten thousand instances that schedule two
 * thousand activities each must not have twenty million of them at once. What runs goes on whatever waits.
 *
 * What counts is what waits for a worker that would take it, and what the episodes are expected to schedule that are
 * with workers now. Timers, events and sub-orchestrations do not count, nor activities that no worker takes: they may
 * wait for good.
 */
export class Admission {
  /** Weight that the first episode of an orchestrator schedules, by its name. */
  readonly #shown = new Map<string, number>();
  /** What the first episodes are expected to schedule that are with workers, by token; the first to begin first. */
  readonly #underWay = new Map<string, { readonly weight: number; readonly untilMs: number }>();
  #underWayWeight = 0;
  #lastMs = -Infinity;
  readonly #clock: Pick<Clock, "steadyMs">;

  constructor(clock: Pick<Clock, "steadyMs">) {
    this.#clock = clock;
  }

  isOpen(waitingWeight: number): boolean {
    const nowMs = this.#clock.steadyMs();
    for (const [token, { untilMs }] of this.#underWay) {
      if (untilMs > nowMs) break;
      this.forget(token);
    }
    if (waitingWeight + this.#underWayWeight < MOST_WAITING_WEIGHT) return true;

    const patienceMs = PATIENCE_MS * Math.max(1, waitingWeight / MOST_WAITING_WEIGHT);
    return nowMs - this.#lastMs >= Math.min(patienceMs, MOST_PATIENCE_MS);
  }

  /** Whether instances wait because others have much to do, and not until it is known how much they have. */
  isCrowded(waitingWeight: number): boolean {
    return waitingWeight >= MOST_WAITING_WEIGHT / 2;
  }

  /** The first episode of an instance is sent. */
  begin(token: string, orchestrator: string): void {
    this.#lastMs = this.#clock.steadyMs();
    const weight = this.#shown.get(orchestrator) ?? UNKNOWN_WEIGHT;
    this.#underWay.set(token, { weight, untilMs: this.#lastMs + EXPECTED_MS });
    this.#underWayWeight += weight;
  }

  /** It has scheduled activities of that weight. */
  learn(token: string, orchestrator: string, weight: number): void {
    this.forget(token);
    const before = this.#shown.get(orchestrator) ?? weight;
    this.#shown.set(orchestrator, before + (weight - before) * NEWEST_SHARE);
  }

  /** It came back undone, or nothing more is expected of it. */
  forget(token: string): void {
    this.#underWayWeight -= this.#underWay.get(token)?.weight ?? 0;
    this.#underWay.delete(token);
    if (this.#underWay.size === 0) {
      // Without what fractions leave behind.
      this.#underWayWeight = 0;
    }
  }
}
