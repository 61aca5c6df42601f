import { invariant } from "../../invariant.js";
import type { WorkFilter, WorkKind, WorkName } from "./work.js";

/** Where work items are written to: a GetWorkItems stream. */
export interface WorkItemStream {
  /** Writes an item, in one part or more. Returns false if the stream wants no more for now. */
  write(...parts: readonly Uint8Array[]): boolean;
  /** The last items written that have not left this process; undefined: all have. */
  readonly itemsWaiting?: number;
  end(): void;
}

/** A work item that a worker has and has not completed: see `Lease`. */
export interface HeldItem {
  readonly kind: WorkKind;
  readonly token: string;
  readonly worker: Worker;
  readonly instance: { readonly id: string };
  /** Of an activity. */
  readonly taskId?: number;
  /** Of the work item. */
  readonly bytes: number;
}

/** Work items of a kind that a worker is sent at a time that names no limit: the emulator holds what is beyond it. */
const MOST_ITEMS = 10_000;
/**
 * Bytes of work items that a worker is sent at a time, whatever its limits: it decodes them into several times as much.
 * One item more may be on its way, of any size.
 */
const MOST_HELD_BYTES = 64 * 1024 * 1024;

export interface WorkerOptions {
  readonly id: string;
  readonly stream: WorkItemStream;
  /** What the workers of its connection hold: that outlives its stream and ends with its connection. */
  readonly connectionItems: Set<HeldItem>;
  /** Whether it keeps the history of an instance from one episode to the next. */
  readonly remembersHistory?: boolean;
  /** Whether it asks for a history by itself where a work item says that it has to. */
  readonly streamsHistory?: boolean;
  /** Whether it sends a result again whose completion was answered with an error that passes. */
  readonly keepsResults?: boolean;
  /** Work items that it takes at a time, of each kind; undefined: `MOST_ITEMS`. */
  readonly limits?: Readonly<Partial<Record<WorkKind, number>>>;
  /** Undefined: it takes everything. */
  readonly filters?: Readonly<Record<WorkKind, WorkFilter>> | undefined;
}

/** One open GetWorkItems stream. */
export class Worker {
  readonly id: string;
  readonly connectionItems: Set<HeldItem>;
  readonly remembersHistory: boolean;
  readonly streamsHistory: boolean;
  readonly keepsResults: boolean;
  readonly #stream: WorkItemStream;
  readonly #holds: Record<WorkKind, number> = { episode: 0, activity: 0 };
  #heldBytes = 0;
  #homed = 0;
  /** Whether its stream wants no more for now. */
  #isBlocked = false;
  /** The last items that it was sent: at least those that have not left this process. */
  #lastSent: HeldItem[] = [];
  readonly #limits: Readonly<Partial<Record<WorkKind, number>>>;
  readonly #filters: Readonly<Record<WorkKind, WorkFilter>> | undefined;

  constructor(options: WorkerOptions) {
    this.id = options.id;
    this.#stream = options.stream;
    this.connectionItems = options.connectionItems;
    this.remembersHistory = options.remembersHistory ?? false;
    this.streamsHistory = options.streamsHistory ?? false;
    this.keepsResults = options.keepsResults ?? false;
    this.#limits = options.limits ?? {};
    this.#filters = options.filters;
  }

  /** Work items of each kind sent and not completed. */
  get holds(): Readonly<Record<WorkKind, number>> {
    return this.#holds;
  }

  get load(): number {
    return this.#holds.episode + this.#holds.activity;
  }

  /** Running instances whose home this is. */
  get homed(): number {
    return this.#homed;
  }

  takes(kind: WorkKind, { name, version }: WorkName): boolean {
    if (this.#filters === undefined) return true;

    const versions = this.#filters[kind].get(name);
    return versions !== undefined && (versions.size === 0 || versions.has(version));
  }

  hasRoomFor(kind: WorkKind): boolean {
    return (
      !this.#isBlocked && this.#heldBytes < MOST_HELD_BYTES && this.#holds[kind] < (this.#limits[kind] ?? MOST_ITEMS)
    );
  }

  /** A work item is its own from here on, until it is released. */
  hold(item: HeldItem): void {
    this.connectionItems.add(item);
    this.#holds[item.kind] += 1;
    this.#heldBytes += item.bytes;
  }

  release(item: HeldItem): void {
    this.connectionItems.delete(item);
    this.#holds[item.kind] -= 1;
    this.#heldBytes -= item.bytes;
    invariant(this.#holds[item.kind] >= 0 && this.#heldBytes >= 0, "A worker gives back no more than it holds.");
  }

  /** It becomes the home of one instance more, or is no longer the home of one. */
  house(change: 1 | -1): void {
    this.#homed += change;
    invariant(this.#homed >= 0, "No more instances leave a home than have come.");
  }

  /** Sends an item that it holds, in one part or more. */
  send(item: HeldItem, ...parts: readonly Uint8Array[]): void {
    this.#isBlocked = !this.#stream.write(...parts);
    this.#lastSent.push(item);
    this.#forgetSent();
  }

  /** Items that it was sent, and that have not left this process. */
  get itemsWaiting(): readonly HeldItem[] {
    this.#forgetSent();
    return this.#lastSent;
  }

  #forgetSent(): void {
    const gone = this.#lastSent.length - (this.#stream.itemsWaiting ?? 0);
    if (gone > 0) this.#lastSent.splice(0, gone);
  }

  /** Its stream takes more again. */
  unblock(): void {
    this.#isBlocked = false;
  }

  /** It gets nothing more. */
  end(): void {
    this.#stream.end();
  }
}
