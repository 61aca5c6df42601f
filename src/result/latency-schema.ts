import { count, list, number, object, oneOf, string } from "./json-field.js";
import { measured } from "./measured-field.js";

const summary = {
  count: measured.count.describe("Samples."),
  mean: measured.duration,
  p50: measured.duration.exactOptional(),
  p90: measured.duration.exactOptional(),
  p95: measured.duration.exactOptional(),
  p99: measured.duration.exactOptional(),
  p999: measured.duration.exactOptional(),
  max: measured.duration,
};

/** Begins and ends on the same clock. */
export const latency = object(summary).meta({
  id: "LatencySummary",
  description: "Milliseconds. A percentile that the sample cannot carry is absent.",
});

/** Begins on the client's clock and ends on the backend's. */
export const crossing = object({
  ...summary,
  until: oneOf("completed", "noticed")
    .exactOptional()
    .describe(
      "What it ends with: the completion by the backend's clock, or where that is not known closely enough (to 10 % of the " +
        "median) the moment at which the client noticed it.",
    ),
  boundMs: measured.duration
    .exactOptional()
    .describe("Where it ends with the backend's clock: every figure is true within plus or minus this."),
}).meta({
  id: "CrossingSummary",
  description:
    "Milliseconds, from the client's clock to the backend's. A percentile that the sample cannot carry is absent.",
});

export const intervalLatency = object({
  count,
  p50: number.exactOptional(),
  p99: number.exactOptional(),
  max: number,
  buckets: list(number).describe(
    "[bucket, count, bucket, count, ...], ascending. Of u microseconds, which are below 64 when halved e times, rounding " +
      "down, the bucket is 32 e + floor(u / 2^e).",
  ),
}).meta({
  id: "IntervalLatency",
  description:
    "Milliseconds, of those that were due in the interval and completed. Ends as latencyMs of the same name.",
});

export const latencies = object({
  response: crossing
    .exactOptional()
    .describe(
      "Intended start until completed: what a user who arrived on schedule feels. Absent in closed load, which has no " +
        "schedule.",
    ),
  service: crossing.exactOptional().describe("Accepted until completed."),
  detectionLag: crossing
    .exactOptional()
    .describe("Completed until noticed: by so much the client's times are too long."),
  startRpc: latency.exactOptional().describe("Sent until accepted, on the client's clock."),
  slip: latency.exactOptional().describe("Intended until sent, on the client's clock: how late a start left."),
  server: latency.exactOptional().describe("Created until completed, by the backend's clock."),
});

export const histogram = object({
  hdr: string.describe(
    "Microseconds, HdrHistogram V2, compressed, base64: https://hdrhistogram.github.io/HdrHistogram/",
  ),
  count,
});
