/** From here on the series below is exact to 1e-12. */
const STIRLING_FROM = 10;

/**
 * P(T <= t) of Student's t with `degreesOfFreedom`, which need not be whole: I_x(df/2, 1/2) / 2 is the tail beyond |t|,
 * with x = df / (df + t^2). https://dlmf.nist.gov/8.17; Abramowitz & Stegun 26.7.1. To 1e-9 and better.
 */
export function studentTCdf(t: number, degreesOfFreedom: number): number {
  const tail = tailBeyond(Math.abs(t), degreesOfFreedom);
  return t > 0 ? 1 - tail : tail;
}

/**
 * The inverse of `studentTCdf`, by bisection.
 * @throws RangeError unless the probability lies between 0 and 1, both excluded
 */
export function studentTQuantile(probability: number, degreesOfFreedom: number): number {
  if (!(probability > 0 && probability < 1))
    throw new RangeError(`Expected a probability between 0 and 1, found ${probability}`);

  // The smaller tail keeps all of its digits.
  return probability < 0.5
    ? -beyondWhich(probability, degreesOfFreedom)
    : beyondWhich(1 - probability, degreesOfFreedom);
}

/** The t >= 0 that T exceeds with probability `tail`, which is at most a half. */
function beyondWhich(tail: number, degreesOfFreedom: number): number {
  let [low, high] = [0, 1];
  while (tailBeyond(high, degreesOfFreedom) > tail) [low, high] = [high, 2 * high];
  for (let middle = (low + high) / 2; middle > low && middle < high; middle = (low + high) / 2) {
    if (tailBeyond(middle, degreesOfFreedom) > tail) low = middle;
    else high = middle;
  }
  return high;
}

/** P(T > t) for t >= 0. */
function tailBeyond(t: number, degreesOfFreedom: number): number {
  const square = t * t;
  const x = degreesOfFreedom / (degreesOfFreedom + square);
  const complement = square / (degreesOfFreedom + square);
  return incompleteBeta({ x, complement, a: degreesOfFreedom / 2, b: 0.5 }) / 2;
}

interface BetaArguments {
  readonly x: number;
  /** 1 - x, with the digits that a subtraction would lose. */
  readonly complement: number;
  readonly a: number;
  readonly b: number;
}

/** The regularized incomplete beta function I_x(a, b), from the side on which the fraction converges: DLMF 8.17.4. */
function incompleteBeta({ x, complement, a, b }: BetaArguments): number {
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta({ x: complement, complement: x, a: b, b: a });
  const power = a * Math.log(x) + b * Math.log(complement);
  return Math.exp(power - logBeta(a, b)) / (a * fraction(x, a, b));
}

/**
 * 1 + d_1 / (1 + d_2 / (1 + ...)) of https://dlmf.nist.gov/8.17.E22, evaluated from the end. The number of relevant
 * terms grows with the root of the parameters.
 */
function fraction(x: number, a: number, b: number): number {
  const terms = 40 + 4 * Math.ceil(Math.sqrt(Math.max(a, b)));
  let value = 1;
  for (let m = terms; m >= 0; m -= 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    value = 1 + odd / value;
    if (m > 0) value = 1 + even / value;
  }
  return value;
}

function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/** Stirling's series, https://dlmf.nist.gov/5.11.E1, reached by the recurrence gamma(x + 1) = x gamma(x). */
function logGamma(x: number): number {
  if (x < STIRLING_FROM) return logGamma(x + 1) - Math.log(x);
  const series = 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1_260 * x ** 5) - 1 / (1_680 * x ** 7);
  return (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + series;
}
