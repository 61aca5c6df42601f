import { isIPv6 } from "node:net";

/** Wrong keys at once, and then how many a second. */
interface Limit {
  readonly burst: number;
  readonly perSecond: number;
}

/** A person who mistypes a key never waits for longer than five seconds. */
const OF_ADDRESS: Limit = { burst: 5, perSecond: 0.2 };
const OF_ALL: Limit = { burst: 50, perSecond: 5 };
const MOST_ADDRESSES = 10_000;

/** Attempts that were not given back, which are forgotten at the rate of the limit. */
class Bucket {
  #spent = 0;
  #atMs: number;

  constructor(
    readonly limit: Limit,
    nowMs: number,
  ) {
    this.#atMs = nowMs;
  }

  waitMs(nowMs: number): number {
    const { burst, perSecond } = this.limit;
    this.#spent = Math.max(0, this.#spent - ((nowMs - this.#atMs) / 1_000) * perSecond);
    this.#atMs = nowMs;
    return Math.max(0, ((this.#spent + 1 - burst) / perSecond) * 1_000);
  }

  take(): void {
    this.#spent += 1;
  }

  giveBack(): void {
    this.#spent = Math.max(0, this.#spent - 1);
  }
}

/** An attempt that may compare its key. */
export interface Attempt {
  /** The key was right: the attempt is not counted, and neither are those before it. */
  succeeded(): void;
}

/**
 * Slows down who guesses keys: by address, and over all addresses. Addresses that have sent a wrong key wait for each other,
 * and those that have not do so among themselves. So who guesses from few addresses keeps nobody else out.
 */
export class LoginBrake {
  /** The one that failed longest ago comes first. */
  readonly #failed = new Map<string, Bucket>();
  readonly #ofFailed: Bucket;
  readonly #ofNew: Bucket;

  constructor(
    readonly nowMs: () => number = () => performance.now(),
    readonly mostAddresses = MOST_ADDRESSES,
  ) {
    this.#ofFailed = new Bucket(OF_ALL, nowMs());
    this.#ofNew = new Bucket(OF_ALL, nowMs());
  }

  /** An attempt, which counts as failed until it has succeeded; or the seconds after which there may be one. */
  attempt(ip: string): Attempt | { readonly waitSeconds: number } {
    const address = networkOf(ip);
    const now = this.nowMs();
    const before = this.#failed.get(address);
    const own = before ?? new Bucket(OF_ADDRESS, now);
    const shared = before === undefined ? this.#ofNew : this.#ofFailed;
    const waitMs = Math.max(own.waitMs(now), shared.waitMs(now));
    if (waitMs > 0) return { waitSeconds: Math.ceil(waitMs / 1_000) };
    own.take();
    shared.take();
    this.#failed.delete(address);
    this.#failed.set(address, own);
    const [oldest] = this.#failed.keys();
    if (oldest !== undefined && this.#failed.size > this.mostAddresses) this.#failed.delete(oldest);
    return {
      succeeded: () => {
        shared.giveBack();
        this.#failed.delete(address);
      },
    };
  }
}

/** One machine has all addresses of an IPv6 network of 64 bits. */
function networkOf(ip: string): string {
  if (!isIPv6(ip) || ip.includes(".")) return ip;
  const [head = "", tail] = ip.split("%", 1)[0]!.split("::");
  const groups = head.split(":");
  const missing = tail === undefined ? 0 : 8 - groups.length - tail.split(":").length;
  return [...groups, ...Array<string>(Math.max(0, missing)).fill("0"), ...(tail ?? "").split(":")]
    .slice(0, 4)
    .join(":");
}
