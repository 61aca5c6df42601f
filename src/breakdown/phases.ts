import type { BreakdownPhase } from "../result/run-result.js";
import type { OffsetAt } from "./clock-offset.js";
import type { PathPart } from "./critical-path.js";

/** A time that a traced instance spent on something. */
export interface SpentTime {
  readonly phase: BreakdownPhase;
  readonly us: number;
  /** Where it crosses clocks: it is true within plus or minus this. */
  readonly boundUs?: number;
}

/** The offset of a worker's clock against the backend's at a time of the backend's; undefined where it is not known. */
export type WorkerOffset = (workerId: string, backendUs: number) => OffsetAt | undefined;

/** The phases of a part of a path. They add up to it, and none is negative. */
export function spentOn(part: PathPart, offsetOf: WorkerOffset): readonly SpentTime[] {
  const us = part.toUs - part.fromUs;
  if (part.kind === "phase") return [{ phase: part.phase, us }];
  const { stamps } = part;
  const offset = stamps && offsetOf(stamps.workerId, part.toUs);
  if (!stamps || !offset) return [{ phase: "activity", us }];
  const executeUs = Math.min(stamps.finishedUs - stamps.startedUs, us);
  const startedUs = Math.round(stamps.startedUs - offset.offsetUs);
  const queueUs = Math.min(Math.max(startedUs - part.fromUs, 0), us - executeUs);
  const { boundUs } = offset;
  return [
    { phase: "queue", us: queueUs, boundUs },
    { phase: "execute", us: executeUs },
    { phase: "return", us: us - queueUs - executeUs, boundUs },
  ];
}
