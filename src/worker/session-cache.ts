import type { ExtendedSession } from "./extended-session.js";
import { quarterOfHeap } from "./heap-bytes.js";

export interface SessionLimits {
  readonly sessions: number;
  /** In the unit of `ExtendedSession.weight`. */
  readonly bytes: number;
  readonly idleMs: number;
}

/** A session between two episodes. */
interface Kept {
  readonly session: ExtendedSession;
  /** The completion token of the episode that it processed last. */
  readonly token: string;
  readonly sinceMs: number;
}

export interface SessionCounts {
  /** Sessions that are kept now. */
  readonly size: number;
  /** Sessions that were dropped to keep the limits. */
  readonly evicted: number;
}

/**
 * Extended sessions by instance id. Their number, memory and idle time are bounded. The least recently used session is
 * dropped first, and its next episode costs a replay.
 * A session is taken out to be used. If an instance has two episodes at a time, the backend accepts at most one of
 * them. Neither session is kept, because nothing here tells which one it accepts.
 */
export class ExtendedSessions implements SessionCounts {
  evicted = 0;
  readonly #limits: SessionLimits;
  /** In the order of their last use. */
  readonly #kept = new Map<string, Kept>();
  readonly #running = new Map<string, { count: number; alone: boolean }>();
  #weight = 0;
  #willSweep = false;

  constructor(limits: SessionLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Begins an episode of the instance, which `end` must end. */
  begin(instanceId: string): ExtendedSession | undefined {
    const running = this.#running.get(instanceId);
    if (running === undefined) {
      this.#running.set(instanceId, { count: 1, alone: true });
    } else {
      running.count += 1;
      running.alone = false;
    }
    return this.#remove(instanceId)?.session;
  }

  /** Ends an episode, and keeps its session if there is one. */
  end(instanceId: string, token: string, session: ExtendedSession | undefined): void {
    const running = this.#running.get(instanceId);
    if (running === undefined) return;

    running.count -= 1;
    if (running.count === 0) this.#running.delete(instanceId);

    if (running.alone && session !== undefined && this.#limits.sessions > 0) {
      this.#kept.set(instanceId, { session, token, sinceMs: performance.now() });
      this.#weight += session.weight;
      this.#evict();
    }
  }

  /** The backend has not accepted the result of that episode. */
  drop(instanceId: string, token: string): void {
    if (this.#kept.get(instanceId)?.token === token) this.#remove(instanceId);
  }

  #remove(instanceId: string): Kept | undefined {
    const kept = this.#kept.get(instanceId);
    if (kept !== undefined) {
      this.#kept.delete(instanceId);
      this.#weight -= kept.session.weight;
    }
    return kept;
  }

  #evict(): void {
    const idleSinceMs = performance.now() - this.#limits.idleMs;
    for (const [instanceId, { sinceMs }] of this.#kept) {
      const fits = this.#kept.size <= this.#limits.sessions && this.#weight <= this.#limits.bytes;
      if (fits && sinceMs > idleSinceMs) break;

      this.evicted++;
      this.#remove(instanceId);
    }
    this.#sweepLater();
  }

  /** Drops idle sessions even if nothing else happens. */
  #sweepLater(): void {
    if (this.#willSweep || this.#kept.size === 0) return;

    this.#willSweep = true;
    setTimeout(() => {
      this.#willSweep = false;
      this.#evict();
    }, this.#limits.idleMs).unref();
  }
}

export const NO_SESSIONS: SessionLimits = { sessions: 0, bytes: 0, idleMs: 0 };

const DEFAULT_LIMITS: SessionLimits = {
  sessions: 20_000,
  bytes: quarterOfHeap(256 * 1024 * 1024),
  idleMs: 10 * 60_000,
};
