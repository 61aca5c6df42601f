import { stamped, type History } from "../breakdown/critical-path.js";
import type { HistoryMoment } from "../protocol/history-moments.js";

type StampedMoment = History[number];

/** What is known of one instance, for its timeline. Times are whole microseconds since the epoch by the backend's clock. */
export interface InstanceHistory {
  readonly instanceId: string;
  readonly parentInstanceId?: string;
  readonly depth: number;
  readonly name: string;
  readonly status: string;
  readonly createdUs: number;
  /** Undefined of one that has not ended. */
  readonly completedUs: number | undefined;
  /** Of its last execution. */
  readonly history: History;
  readonly missing?: string;
}

/** Collects a history part by part. What activities returned is dropped with each part, so that only times stay in memory. */
export class HistoryCollector {
  readonly moments: StampedMoment[] = [];

  add(part: readonly HistoryMoment[]): void {
    for (const moment of stamped(part)) this.moments.push(moment);
  }
}

/** The ids of the sub-orchestrations that a history asks for, each once, in order. */
export function childrenIn(history: History): readonly string[] {
  const ids = history.flatMap((moment) =>
    moment.kind === "asked" && moment.instanceId !== undefined ? moment.instanceId : [],
  );
  return [...new Set(ids)];
}
