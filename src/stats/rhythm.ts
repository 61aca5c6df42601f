/** The number of ended orchestrations from which on a rhythm is known. */
const FEWEST_ENDS = 20;
/** The time that must pass before a rhythm is known: this many typical silences, and this many times a typical life. */
const FEWEST_SILENCES = 5;
const FEWEST_LIVES = 3;
/** The longest silence that earlier ones explain, in typical silences. */
const TYPICAL_SILENCES = 12;
const LONGER_SILENCES = 2;
const DEVIATIONS = 12;
/** With this many silences, the deviation is allowed twice as often as with very many. */
const FEW_SILENCES = 10;
/**
 * From here on, work in flight does not explain a silence: this many ends are due, or all of it is this much older than
 * usual.
 */
const MOST_DUE = 20;
const OVERDUE = 3;
/** The time constant of the memory: after it, a value has lost all but 1/e of its weight. */
const SHORTEST_MEMORY_MS = 10_000;
const REMEMBERED_LIVES = 10;

/**
 * The rhythm of a run without trouble. From the silences between two signs of progress it decides whether another
 * silence is ordinary. Its memory is constant, and older silences count less.
 *
 * A silence is out of the ordinary if neither of two things explains it.
 *
 * **Earlier silences.** Completions come one by one or in bursts (instances that start together end together, and a
 * poll finds many). The mean silence g therefore means nothing: a burst has a hundred silences of 0. The
 * length-weighted means do have a meaning:
 *
 *     L = sum(g^2) / sum(g)       the average silence around a random moment (the inspection paradox: Feller, An
 *                                 Introduction to Probability Theory and Its Applications II, I.4)
 *     M = sum(g^3) / sum(g^2)     the same once more, so that silences within a burst have no weight
 *     D^2 = sum(g^4) / sum(g^2) - M^2
 *
 * A beat of period T has L = M = T and D = 0. Random arrivals with mean m have L = 2 m, M = 3 m and D = sqrt(3) m.
 * After n = sum(g) / L silences, a silence is explained up to
 *
 *     min(12 L, max(2 M, M + 12 (1 + 10 / n) D))
 *
 * This is two periods of a beat. For random arrivals it is 24 m, and one silence in e^24 is longer. M and D detect the
 * stall of a beat early. 12 L keeps a single hiccup, which weighs most in the high powers, from hiding a stall.
 *
 * **Work in flight.** The load may have changed: if one start a second follows a hundred, earlier silences mean
 * nothing. By Little's law a life, from sent to ended, takes W = integral(in flight) / ended. During this silence,
 * integral(in flight) / W instances should have ended. If that is 20 and lives end independently, a silence without an
 * end has a probability of e^-20. With a few instances in lockstep fewer ends are due. Then a silence is unexplained if
 * it is three times as long as any recent life or silence, so that everything that was in flight when it began is
 * overdue.
 *
 * **Too early to tell**: every silence is ordinary until 20 instances have ended and all silences add up to 5 L and to
 * 3 W. Otherwise a first burst would pass for a rhythm.
 */
export class Rhythm {
  #ends = 0;
  /** Sums over the remembered silences: of their lengths, and of the second to fourth powers. */
  #ms = 0;
  #ms2 = 0;
  #ms3 = 0;
  #ms4 = 0;
  /** Over the same time: the integral of the number in flight, and the number that ended. */
  #inFlightMs = 0;
  #ended = 0;
  #longestMs = 0;

  /**
   * The silence before the first progress is over. Its length is no rhythm, because a backend may have to start up. Its
   * work in flight belongs to the lives that end from now on.
   */
  addFirstSilence(inFlightMs: number): void {
    this.#inFlightMs += inFlightMs;
  }

  /** An ordinary silence is over. `inFlightMs` is the integral of the number in flight over it. */
  addSilence(ms: number, inFlightMs: number): void {
    const kept = Math.exp(-ms / this.#memoryMs);
    this.#ms = this.#ms * kept + ms;
    this.#ms2 = this.#ms2 * kept + ms ** 2;
    this.#ms3 = this.#ms3 * kept + ms ** 3;
    this.#ms4 = this.#ms4 * kept + ms ** 4;
    this.#inFlightMs = this.#inFlightMs * kept + inFlightMs;
    this.#ended *= kept;
    this.#longestMs = Math.max(this.#longestMs * kept, ms);
  }

  /** An orchestration has ended. Its service time counts unless a stall prolonged it. */
  addEnd(serviceMs = 0): void {
    this.#ends += 1;
    this.#ended += 1;
    this.#longestMs = Math.max(this.#longestMs, serviceMs);
  }

  /** Whether a silence is ordinary. `inFlightMs` is the integral of the number in flight over it. */
  explains(ms: number, inFlightMs: number): boolean {
    if (!this.#isKnown || ms <= this.#explainedMs) return true;
    return inFlightMs < MOST_DUE * this.#lifeMs && ms <= OVERDUE * this.#longestMs;
  }

  get #isKnown(): boolean {
    const seenMs = Math.max(FEWEST_SILENCES * this.#typicalMs, FEWEST_LIVES * this.#lifeMs);
    return this.#ends >= FEWEST_ENDS && this.#ms >= seenMs;
  }

  get #explainedMs(): number {
    const typicalMs = this.#typicalMs;
    if (typicalMs === 0) return 0;
    const longerMs = this.#ms3 / this.#ms2;
    const deviationMs = Math.sqrt(Math.max(0, this.#ms4 / this.#ms2 - longerMs ** 2));
    const deviations = DEVIATIONS * (1 + (FEW_SILENCES * typicalMs) / this.#ms);
    return Math.min(
      TYPICAL_SILENCES * typicalMs,
      Math.max(LONGER_SILENCES * longerMs, longerMs + deviations * deviationMs),
    );
  }

  /** L */
  get #typicalMs(): number {
    return this.#ms === 0 ? 0 : this.#ms2 / this.#ms;
  }

  /** W; infinite while only activities have completed. */
  get #lifeMs(): number {
    return this.#inFlightMs === 0 ? 0 : this.#inFlightMs / this.#ended;
  }

  get #memoryMs(): number {
    return this.#ends === 0 ? SHORTEST_MEMORY_MS : Math.max(SHORTEST_MEMORY_MS, REMEMBERED_LIVES * this.#lifeMs);
  }
}
