/** One start that was sent. Times are milliseconds since the epoch on the client's clock, with fractions. */
export interface Start {
  readonly instanceId: string;
  /** Counts from 0 over the whole run, of all its shards. */
  readonly sequence: number;
  /** When it was due by the plan. */
  readonly intendedMs: number;
  readonly sentMs: number;
  /** When the backend's acknowledgement arrived; undefined if it refused the start, or did not answer in time. */
  readonly acceptedMs: number | undefined;
  /** It was due, and waited for another instance to end because of the limit of instances in flight. */
  readonly heldBack: boolean;
}

/** A started instance that has ended, or whose start was refused. */
export interface Completion {
  readonly start: Start;
  /** When the client noticed the end, on the client's clock. */
  readonly noticedMs: number;
  readonly outcome: "completed" | "failed" | "terminated";
  /** The backend refused the start, so that there is no instance. */
  readonly refused?: true;
  /** On the backend's clock, never to be mixed with the client's; undefined if the backend did not report them. */
  readonly server: { readonly createdMs: number; readonly completedMs: number } | undefined;
  readonly failure: { readonly type: string; readonly message: string } | undefined;
}
