/**
 * How long an instance waits for more of its activities before an episode takes in those that are done.
 *
 * An episode replays the whole history, so one for each completion of a fan-out costs the square of its width; waiting
 * for all of them stalls an orchestrator that goes on with the first. Which of the two an orchestrator is shows in what
 * its partial episodes yield: nothing but a longer history, or something to do.
 */
export class HoldPolicy {
  readonly #mostMs: number;
  /** Where a new orchestrator starts. */
  static readonly initialMs = 2;
  static readonly maxMs = 50;

  /** What instances of an orchestrator have learned last, by its name. */
  readonly #learned = new Map<string, number>();

  /** With a `mostMs` of 0 every episode leaves at once. */
  constructor(mostMs: number = HoldPolicy.maxMs) {
    this.#mostMs = mostMs;
  }

  /** Milliseconds for which a new instance of that orchestrator holds. */
  start(orchestrator: string): number {
    return this.#learned.get(orchestrator) ?? Math.min(this.#mostMs, HoldPolicy.initialMs);
  }

  /**
   * The hold after an episode that ran while activities were outstanding: none if it yielded an action or the end,
   * else twice as long.
   */
  learn(orchestrator: string, holdMs: number, fruitful: boolean): number {
    const next = fruitful ? 0 : Math.min(this.#mostMs, Math.max(HoldPolicy.initialMs, holdMs * 2));
    this.#learned.set(orchestrator, next);
    return next;
  }
}
