/** A queue of c servers with random arrivals and exponential service times, first come, first served: M/M/c. */
export interface Queue {
  readonly servers: number;
  /** Each server's rate of service, per second. */
  readonly servicePerSecond: number;
}

/**
 * The share of arrivals whose response time is longer than `seconds`, at a rate of arrivals below the capacity. With C
 * the probability of a wait (Erlang's C formula) and d = c m - a, the wait of those who wait is exponential with rate d:
 *
 *     P(T > t) = (1 - C) e^(-m t) + C (d e^(-m t) - m e^(-d t)) / (d - m)
 *
 * Kleinrock, Queueing Systems, volume 1, 1975, sections 3.5 and 5.7.
 */
export function shareSlowerThan(seconds: number, perSecond: number, { servers, servicePerSecond }: Queue): number {
  const [m, d] = [servicePerSecond, servers * servicePerSecond - perSecond];
  const waits = erlangC(servers, perSecond / servicePerSecond);
  const alone = Math.exp(-m * seconds);
  // The limit where the two rates are the same.
  const waited =
    Math.abs(d - m) < 1e-6 * m ? (1 + m * seconds) * alone : (d * alone - m * Math.exp(-d * seconds)) / (d - m);
  return (1 - waits) * alone + waits * waited;
}

/** The rate of arrivals at which the percentile of the response time is `seconds`. */
export function capacityOf(queue: Queue, percentile: number, seconds: number): number {
  let [low, high] = [0, queue.servers * queue.servicePerSecond];
  for (let round = 0; round < 60; round += 1) {
    const middle = (low + high) / 2;
    if (shareSlowerThan(seconds, middle, queue) <= 1 - percentile) low = middle;
    else high = middle;
  }
  return low;
}

/** By the recursion of Erlang's B formula, which does not overflow. */
function erlangC(servers: number, load: number): number {
  let blocked = 1;
  for (let count = 1; count <= servers; count += 1) blocked = (load * blocked) / (count + load * blocked);
  return blocked / (1 - (load / servers) * (1 - blocked));
}
