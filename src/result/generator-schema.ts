import { list, number, object, oneOf, signed, string } from "./json-field.js";
import { latency } from "./latency-schema.js";
import { measured } from "./measured-field.js";

// The state of the load generator's process during the measurement, and its effect on the figures.

export const latencyShares = object({
  mean: measured.share.exactOptional(),
  p50: measured.share.exactOptional(),
  p90: measured.share.exactOptional(),
  p95: measured.share.exactOptional(),
  p99: measured.share.exactOptional(),
  p999: measured.share.exactOptional(),
});

export const generator = object({
  heldBack: measured.count.describe("Starts that --max-in-flight held back."),
  slipMs: latency.exactOptional().describe("Of the starts that were not held back."),
  slipShare: latencyShares
    .exactOptional()
    .describe(
      "What that slip is of each figure of the response time, as a share of 1: by so much the figure is too high. Of open " +
        "load only.",
    ),
  slipGrowthMs: measured.duration
    .exactOptional()
    .describe("By how much it grew from the first start to the last: the generator fell behind. Of open load only."),
  eventLoopDelayMs: latency.exactOptional(),
  clockJumpMs: measured.duration
    .exactOptional()
    .describe("The largest step of the system's clock against the steady one, either way."),
  cpu: object({ machine: measured.share, generator: measured.share })
    .exactOptional()
    .describe(
      "Shares of all cores of this machine that were busy: on the whole, and with the process that made the load. Absent " +
        "for a short run.",
    ),
});

/** From `[created - accepted, created - sent]` of each start. */
export const clock = object({
  offsetMs: signed.describe("The middle of the last window."),
  boundMs: measured.duration.describe(
    "Half the width of the widest window used: no offset was further from the truth.",
  ),
  driftMs: signed.describe("How far the middle moved from the first window to the last."),
});

export const concurrency = object({
  planned: number.describe("What the plan asked for."),
  effective: measured.mean.describe("Little's law: completions per second x mean service time, over the same window."),
});

export const verdictReason = object({
  severity: oneOf("suspect", "invalid"),
  name: string.describe("For programs, such as slip."),
  text: string.describe("What was found, with its figure and its limit."),
  advice: string.describe("What to change."),
});

export const verdict = object({ status: oneOf("valid", "suspect", "invalid"), reasons: list(verdictReason) });
