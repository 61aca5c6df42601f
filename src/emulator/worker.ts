import type { Queued, WorkName } from "./dispatcher.js";
import type { Lease } from "./leases.js";

/** Where work items are written to: a GetWorkItems stream. `write` returns false when it wants no more for now. */
export interface WorkItemStream {
  write(item: Uint8Array): boolean;
  end(): void;
}

export type WorkKind = Lease["kind"];

/** What a worker takes of one kind: names, each with the versions that it takes, none meaning any. */
export type WorkFilter = ReadonlyMap<string, ReadonlySet<string>>;

export interface WorkerOptions {
  readonly id: string;
  readonly stream: WorkItemStream;
  /** Belongs to its connection: what a worker holds outlives its stream and ends with its connection. */
  readonly connectionLeases: Set<Lease>;
  /** Whether it keeps the history of an instance from one episode to the next. */
  readonly remembersHistory?: boolean;
  /** Whether it asks for a history by itself where a work item says that it has to. */
  readonly streamsHistory?: boolean;
  /** Work items that it takes at a time, of each kind; any number of a kind that is not named. */
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
  /** Work items sent and not completed. */
  readonly holds: Record<WorkKind, number> = { episode: 0, activity: 0 };
  /** Running instances whose home this is. */
  homed = 0;
  /** Items chosen for it, by a dispatcher whose workers all take everything, while its stream wants no more. */
  readonly backlog: Queued[] = [];
  blocked = false;
  readonly #limits: Readonly<Partial<Record<WorkKind, number>>>;
  readonly #filters: Readonly<Record<WorkKind, WorkFilter>> | undefined;

  constructor(options: WorkerOptions) {
    this.id = options.id;
    this.stream = options.stream;
    this.connectionLeases = options.connectionLeases;
    this.remembersHistory = options.remembersHistory ?? false;
    this.streamsHistory = options.streamsHistory ?? false;
    this.#limits = options.limits ?? {};
    this.#filters = options.filters;
  }

  get load(): number {
    return this.holds.episode + this.holds.activity + this.backlog.length;
  }

  /** Whether there is work that it would not take, or not at any time. */
  get choosy(): boolean {
    return this.#filters !== undefined || this.#limits.episode !== undefined || this.#limits.activity !== undefined;
  }

  takes(kind: WorkKind, { name, version }: WorkName): boolean {
    if (this.#filters === undefined) {
      return true;
    }
    const versions = this.#filters[kind].get(name);
    return versions !== undefined && (versions.size === 0 || versions.has(version));
  }

  hasRoomFor(kind: WorkKind): boolean {
    return !this.blocked && this.holds[kind] < (this.#limits[kind] ?? Infinity);
  }
}
