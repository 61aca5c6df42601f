import type { DispatchedInstance } from "./dispatched-instance.js";
import { invariant } from "../../invariant.js";
import { RpcError } from "../../protocol/rpc-error.js";
import type { WorkKind } from "./work.js";
import type { HeldItem, Worker } from "./worker.js";

/** A work item that is with a worker, until its completion, its return, or the end of the worker's connection. */
interface LeaseBase {
  /** What the worker proves with that it completes this dispatch, and not an earlier one. */
  readonly token: string;
  readonly instance: DispatchedInstance;
  readonly worker: Worker;
  /** Of the work item. */
  readonly bytes: number;
}

export interface EpisodeLease extends LeaseBase {
  readonly kind: "episode";
  /** The event that this dispatch put in front of the new ones. */
  readonly started: Uint8Array;
  /** How many of the waiting events it took along, and how many of those are results of activities. */
  readonly eventCount: number;
  readonly resultCount: number;
  /** Whether activities were outstanding, and all it took along were results of others. */
  readonly partial: boolean;
  /** Whether the instance began with it. */
  readonly isFirst: boolean;
}

export interface ActivityLease extends LeaseBase {
  readonly kind: "activity";
  readonly taskId: number;
  /** Task ids begin anew with each execution. */
  readonly executionId: string;
}

export type Lease = EpisodeLease | ActivityLease;

/** The leases of a hub, by token. Each is also among its worker's connection's, so that closing it finds them all. */
export class LeaseTable {
  readonly #leases = new Map<string, Lease>();
  /** Those that completions of this turn have taken. */
  #completed: Lease[] = [];
  readonly #counts: Record<WorkKind, number> = { episode: 0, activity: 0 };

  /** Work items of that kind that workers have. */
  count(kind: WorkKind): number {
    return this.#counts[kind];
  }

  grant(lease: Lease): void {
    invariant(!this.#leases.has(lease.token), "A token is of one lease.");
    this.#leases.set(lease.token, lease);
    lease.worker.hold(lease);
    this.#counts[lease.kind] += 1;
  }

  /** Undefined if the token is stale, or of another kind where one is given. */
  take(token: string, kind?: WorkKind): Lease | undefined {
    const lease = this.#leases.get(token);
    if (lease === undefined || (kind !== undefined && lease.kind !== kind)) return undefined;

    this.#leases.delete(token);
    lease.worker.release(lease);
    this.#counts[lease.kind] -= 1;
    return lease;
  }

  /** Throws NOT_FOUND if the token is stale or belongs to something else. */
  takeOf<K extends WorkKind>(token: string, kind: K): Extract<Lease, { kind: K }> {
    if (this.#leases.get(token)?.kind !== kind) {
      throw new RpcError(
        "NOT_FOUND",
        `The completion token '${token}' is stale: its ${kind} was completed, given back or delivered again.`,
      );
    }
    const lease = this.take(token) as Extract<Lease, { kind: K }>;
    this.#completed.push(lease);
    return lease;
  }

  /** What was completed is. */
  commit(): void {
    this.#completed = [];
  }

  /** Completions came to nothing: workers have again what they had. */
  rollback(): void {
    for (const lease of this.#completed.splice(0)) this.grant(lease);
  }

  /** Whether the worker that has it sends its result again where that could not be written. */
  isKept(token: string): boolean {
    return this.#leases.get(token)?.worker.keepsResults === true;
  }

  takeAll(): Lease[] {
    const leases = [...this.#leases.values()];
    for (const lease of leases) this.take(lease.token);

    return leases;
  }
}

/**
 * The token of what workers of a connection hold of an instance: its activity of that task id, or its episode. SDKs from
 * before there were tokens complete by these ids; on a connection of its own nobody else's dispatch can be meant. Empty
 * if there is none.
 */
export function heldToken(held: Iterable<HeldItem>, instanceId: string, taskId?: number): string {
  for (const item of held) if (item.instance.id === instanceId && item.taskId === taskId) return item.token;

  return "";
}
