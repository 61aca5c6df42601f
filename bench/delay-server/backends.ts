import { RpcError } from "../../dist/protocol/rpc-error.js";

/**
 * The response time in milliseconds of each start of a queue with `servers` servers, first come, first served: the
 * recursion of Kiefer and Wolfowitz, so that the queue is exact however late the process is. Service times are the delays
 * of the server's `--delay`; with `exp:` and random arrivals it is M/M/c.
 */
export function queueOf(
  servers: number,
  serviceOf: (number: number) => number,
  nowMs: () => number,
): (number: number) => number {
  const freeMs = new Float64Array(servers);
  return (number) => {
    let first = 0;
    for (let server = 1; server < servers; server += 1) if (freeMs[server]! < freeMs[first]!) first = server;
    const arrivedMs = nowMs();
    freeMs[first] = Math.max(arrivedMs, freeMs[first]!) + serviceOf(number);
    return freeMs[first]! - arrivedMs;
  };
}

/** The starts that a cliff accepts beyond an even pace: an answer of a busy client may come late. */
const BURST_MS = 500;

/**
 * Accepts `perSecond` starts and refuses the others: the generic cell rate algorithm, ITU-T I.371. Throws an RpcError
 * for a start that comes too early.
 */
export function cliffAt(perSecond: number, nowMs: () => number): () => void {
  let dueMs = 0;
  return () => {
    const now = nowMs();
    if (dueMs > now + BURST_MS) throw new RpcError("INVALID_ARGUMENT", "More starts than the cliff carries.");
    dueMs = Math.max(dueMs, now) + 1_000 / perSecond;
  };
}
