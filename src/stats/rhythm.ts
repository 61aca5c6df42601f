/** Ended orchestrations from which on there is a rhythm to speak of. */
const FEWEST_ENDS = 20;
/** What has to be seen before there is a rhythm: so many typical silences, and so many times a typical life. */
const FEWEST_SILENCES = 5;
const FEWEST_LIVES = 3;
/** How long a silence may be that earlier ones explain. */
const TYPICAL_SILENCES = 12;
const LONGER_SILENCES = 2;
const DEVIATIONS = 12;
/** Of so many silences, the deviation is allowed twice as often as of very many. */
const FEW_SILENCES = 10;
/** From which on work in flight does not explain a silence: so many are due, or all of it is so much older than usual. */
const MOST_DUE = 20;
const OVERDUE = 3;
/** How soon the past is forgotten: what a memory holds has lost all but 1/e of its weight when it is over. */
const SHORTEST_MEMORY_MS = 10_000;
const REMEMBERED_LIVES = 10;

/**
 * How a run goes that is going well. From the silences between one sign of progress and the next it says whether another
 * silence is ordinary. Constant memory; the longer something is past, the less it counts.
 *
 * A silence is out of the ordinary when neither of two things explains it.
 *
 * **Earlier silences.** Completions come one by one or in bursts (what starts together ends together, and a poll finds
 * many), so the mean silence g means nothing: a burst has a hundred of none. Weighted by their lengths silences do:
 *
 *     L = sum(g^2) / sum(g)       the silence that a moment lies in, on average (the inspection paradox: Feller, An
 *                                 Introduction to Probability Theory and Its Applications II, I.4)
 *     M = sum(g^3) / sum(g^2)     the same once more, so that what lies within a burst has no weight at all
 *     D^2 = sum(g^4) / sum(g^2) - M^2
 *
 * A beat of period T has L = M = T and D = 0; random arrivals with mean m have L = 2 m, M = 3 m and D = sqrt(3) m. After
 * n = sum(g) / L silences, one is explained up to
 *
 *     min(12 L, max(2 M, M + 12 (1 + 10 / n) D))
 *
 * which is two periods of the beat, and 24 m of random arrivals, where one silence in e^24 is longer. M and D name the
 * stall of a beat early; 12 L keeps one hiccup, which weighs most in the high powers, from hiding a stall.
 *
 * **Work in flight.** The load may have changed: where one start a second follows on a hundred, earlier silences mean
 * nothing. By Little's law a life, from sent to ended, takes W = integral(in flight) / ended; so of the work in flight
 * integral(in flight) / W should have ended in this silence. None is the chance of one in e^20 when that is 20, if lives
 * end independently. Fewer are due of a few in lockstep: there it tells that the silence is three times as long as any
 * recent life or silence, so that all that was in flight when it began is overdue.
 *
 * **Too early to tell**, everything is ordinary: until 20 have ended and all silences add up to 5 L and to 3 W, as else a
 * first burst would pass for a rhythm.
 */
export class Rhythm {
  #ends = 0;
  /** Of remembered silences: the sums of their lengths, and of the second to fourth powers of these. */
  #ms = 0;
  #ms2 = 0;
  #ms3 = 0;
  #ms4 = 0;
  /** Over the same time: the integral of what was in flight, and how many ended. */
  #inFlightMs = 0;
  #ended = 0;
  #longestMs = 0;

  /**
   * The silence before the first progress is over. Its length is no rhythm, as a backend may have to get going, but what
   * was in flight belongs to the lives that end from now on.
   */
  addFirstSilence(inFlightMs: number): void {
    this.#inFlightMs += inFlightMs;
  }

  /** An ordinary silence is over. `inFlightMs` is the integral of what was in flight over it. */
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

  /** An orchestration has ended. Its service time counts unless a stall has prolonged it. */
  addEnd(serviceMs = 0): void {
    this.#ends += 1;
    this.#ended += 1;
    this.#longestMs = Math.max(this.#longestMs, serviceMs);
  }

  /** Whether a silence is ordinary. `inFlightMs` is the integral of what was in flight over it. */
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
