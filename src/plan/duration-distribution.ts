import { z } from "zod";
import { parseDuration } from "../format/duration.js";
import type { DurationDistribution } from "../orchestrations/activity-duration.js";

const DISTRIBUTION_EXPECTED = "a duration such as 50ms, uniform:10ms-90ms or exp:50ms";

const UNIFORM = /^uniform:(.+)-(.+)$/u;
const EXPONENTIAL = /^exp:(.+)$/u;

/** A flag such as `--activity-duration`. */
export function distribution(flag: string): z.ZodType<DurationDistribution, string> {
  return z.string().transform((text, context) => {
    const parsed = parseDistribution(text);
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: "custom", message: `${flag}: expected ${DISTRIBUTION_EXPECTED}, found "${text}"` });
    return z.NEVER;
  });
}

/** Reads the duration of activities: `50ms`, `uniform:10ms-90ms`, `exp:50ms`. Returns undefined for anything else. */
export function parseDistribution(text: string): DurationDistribution | undefined {
  const [uniform, from = "", to = ""] = UNIFORM.exec(text.trim()) ?? [];
  if (uniform !== undefined) {
    const fromMs = parseDuration(from);
    const toMs = parseDuration(to);
    return fromMs !== undefined && toMs !== undefined && fromMs <= toMs ? { kind: "uniform", fromMs, toMs } : undefined;
  }
  const [exponential, mean = ""] = EXPONENTIAL.exec(text.trim()) ?? [];
  const ms = parseDuration(exponential === undefined ? text : mean);
  if (ms === undefined) return undefined;

  return exponential === undefined ? { kind: "constant", ms } : { kind: "exponential", meanMs: ms };
}
