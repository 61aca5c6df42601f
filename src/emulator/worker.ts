import type { ReadyItem } from "./dispatcher.js";
import type { Lease } from "./leases.js";

/** Where work items are written to: a GetWorkItems stream. `write` returns false when it wants no more for now. */
export interface WorkItemStream {
  write(item: Uint8Array): boolean;
  end(): void;
}

/** One open GetWorkItems stream. */
export class Worker {
  /** Work items sent and not completed. */
  inFlight = 0;
  /** Running instances whose home this is. */
  homed = 0;
  /** Items chosen for it while its stream wants no more. */
  readonly backlog: ReadyItem[] = [];
  blocked = false;

  /**
   * `connectionLeases` belongs to the connection that the stream came over: what a worker holds outlives its stream
   * and ends with its connection.
   */
  constructor(
    readonly id: string,
    readonly stream: WorkItemStream,
    readonly connectionLeases: Set<Lease>,
    /** Whether it keeps the history of an instance from one episode to the next. */
    readonly remembersHistory = false,
  ) {}

  get load(): number {
    return this.inFlight + this.backlog.length;
  }
}
