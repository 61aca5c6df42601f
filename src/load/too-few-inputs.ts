import { UsageError } from "../errors.js";
import { formatCount } from "../format/count.js";
import type { LoadPlan } from "../plan/plan.js";
import { startsUpTo } from "./starts-up-to.js";

/**
 * Refuses a plan that starts more than its file has inputs, where each is taken only once.
 * @throws UsageError
 */
export function refuseTooFewInputs(plan: LoadPlan): void {
  const { inputs } = plan;
  if (inputs?.order !== "once") return;
  // The file has the inputs of all shards.
  const { shard: _shard, ...whole } = plan;
  if (startsUpTo(inputs.lines + 1, whole) <= inputs.lines) return;
  throw new UsageError(
    "invalid-load",
    `--input-order once: expected an input for each start, found ${formatCount(inputs.lines)} inputs in ` +
      `${inputs.file} and more starts in the plan`,
    { hint: "start fewer, or use --input-order cycle" },
  );
}
