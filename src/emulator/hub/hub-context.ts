import type { Clock } from "../clock/clock.js";
import type { SchedulerLimits } from "../limits/scheduler-limits.js";
import type { GroupCommit } from "../store/group-commit.js";
import type { WaitingBytes } from "../instance/waiting-bytes.js";
import type { Store } from "../store/store.js";

/** What a task hub shares with the others of its emulator. */
export interface HubContext {
  readonly store: Store;
  readonly commits: GroupCommit;
  readonly clock: Clock;
  /** A completion token that no other lease of this or an earlier process has. ASCII. */
  readonly newToken: () => string;
  /** How long an episode waits for more results at most, milliseconds; undefined: as `HoldPolicy` has it. */
  readonly mostHoldMs?: number | undefined;
  readonly limits: SchedulerLimits;
  /** Counts the events that wait for the instances of all hubs. */
  readonly waitingBytes: WaitingBytes;
}
