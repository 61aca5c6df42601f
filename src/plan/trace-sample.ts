import { plannedStarts, type Load, type LoadShape } from "../result/load-shape.js";
import { share } from "./flag-values.js";

/** Enough for shares with useful intervals; what tracing costs grows with the share. `bench/tracing.ts` measures it. */
const EXPECTED_INSTANCES = 10;
const LEAST_SHARE = 0.01;
/** Where it is not known how many there will be. */
const SHARE_OF_UNKNOWN = 0.05;

/** `--trace-sample`: the share of orchestrations whose time is broken down. */
export const traceFlags = {
  traceSample: share("--trace-sample", "0.05 or 5%").optional(),
};

/** The share of a load's instances that is traced where nobody says: of a small load enough, of a large one few. */
export function defaultTraceShare(load: Load & { readonly load: LoadShape }): number {
  const starts = plannedStarts(load);
  if (starts === undefined) return SHARE_OF_UNKNOWN;
  return Math.min(1, Math.max(LEAST_SHARE, EXPECTED_INSTANCES / starts));
}
