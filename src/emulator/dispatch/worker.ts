import type { WorkName } from "./dispatcher.js";
import type { Lease } from "./leases.js";

/** Where work items are written to: a GetWorkItems stream. `write` returns false when it wants no more for now. */
export interface WorkItemStream {
  write(item: Uint8Array): boolean;
  end(): void;
}

export type WorkKind = Lease["kind"];

/** What a worker takes of one kind: names, each with the versions that it takes, none meaning any. */
export type WorkFilter = ReadonlyMap<string, ReadonlySet<string>>;

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
  /** Belongs to its connection: what a worker holds outlives its stream and ends with its connection. */
  readonly connectionLeases: Set<Lease>;
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
  readonly stream: WorkItemStream;
  readonly connectionLeases: Set<Lease>;
  readonly remembersHistory: boolean;
  readonly streamsHistory: boolean;
  readonly keepsResults: boolean;
  /** Work items sent and not completed. */
  readonly holds: Record<WorkKind, number> = { episode: 0, activity: 0 };
  /** Their bytes. */
  heldBytes = 0;
  /** Running instances whose home this is. */
  homed = 0;
  /** Whether its stream wants no more for now. */
  blocked = false;
  readonly #limits: Readonly<Partial<Record<WorkKind, number>>>;
  readonly #filters: Readonly<Record<WorkKind, WorkFilter>> | undefined;

  constructor(options: WorkerOptions) {
    this.id = options.id;
    this.stream = options.stream;
    this.connectionLeases = options.connectionLeases;
    this.remembersHistory = options.remembersHistory ?? false;
    this.streamsHistory = options.streamsHistory ?? false;
    this.keepsResults = options.keepsResults ?? false;
    this.#limits = options.limits ?? {};
    this.#filters = options.filters;
  }

  get load(): number {
    return this.holds.episode + this.holds.activity;
  }

  takes(kind: WorkKind, { name, version }: WorkName): boolean {
    if (this.#filters === undefined) return true;

    const versions = this.#filters[kind].get(name);
    return versions !== undefined && (versions.size === 0 || versions.has(version));
  }

  hasRoomFor(kind: WorkKind): boolean {
    return !this.blocked && this.heldBytes < MOST_HELD_BYTES && this.holds[kind] < (this.#limits[kind] ?? MOST_ITEMS);
  }
}
