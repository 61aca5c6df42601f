import { z } from "zod";
import { byName, count, list, number, object, oneOf, plain, signed, string, type ValueOf } from "./json-field.js";
import { byGrpcStatus, listed } from "./measured-field.js";
import { timeline } from "./timeline-schema.js";

const time = z.iso.datetime("a time such as 2030-01-02T03:04:05.678Z");
const series = oneOf("throughput", "latency p50", "latency p90", "workers");

/** One interval of a soak: a line of `intervals.ndjson`. */
export const soakInterval = object({
  leg: count.describe("From 1: each start of the generator begins a leg."),
  endedAt: time,
  elapsedMs: number.describe("From the start of the leg to the end of the interval."),
  lengthMs: number,
  warmup: z.literal(true).exactOptional().describe("It belongs to the warm-up, and is not judged."),
  started: count.describe("Starts of the leg so far."),
  completed: count.describe("In this interval."),
  failed: count.describe("In this interval."),
  inFlight: count,
  p50: number.exactOptional().describe("Response time in milliseconds; absent if too few completed."),
  p90: number.exactOptional(),
  workers: count.exactOptional().describe("Connected workers; absent if the backend does not tell."),
  rpcErrors: byGrpcStatus.describe("Failed attempts of the leg so far, by gRPC status name."),
});

const alarm = object({
  number: count.describe("From 1."),
  leg: count,
  series,
  usualUntil: time.describe("The end of the last interval that was as usual."),
  raisedAt: time,
  recoveredAt: time.exactOptional(),
  usual: signed.describe("Per second, milliseconds, or workers."),
  found: signed.describe("The mean since usualUntil."),
  evidence: string.exactOptional().describe("The file in the folder of the soak; absent if it could not be written."),
});

const account = z.union(
  [
    object({
      instances: count,
      byStatus: byName(count, "an object of counts by status"),
      missing: listed(string).describe(
        "Sent before the last checkpoint, and not on the task hub: refused, never answered, or lost.",
      ),
      afterCheckpoint: count.describe("On the task hub, and sent after the last checkpoint."),
    }),
    object({ unknown: string.describe("Why the backend could not be asked.") }),
  ],
  'an object with "instances", "byStatus", "missing" and "afterCheckpoint", or with "unknown"',
);

const leg = object({
  number: count,
  runId: string.describe("The ids of its instances begin with it."),
  startedAt: time,
  generator: object({ host: string, pid: count }).describe("Its process."),
  ended: oneOf("running", "done", "interrupted", "stopped", "killed").describe(
    "stopped: by --stop-on-alarm, or because the run gave up. killed: its process ended without a word.",
  ),
  loadMs: number.describe("How long starts were sent. Of a killed leg up to its last checkpoint."),
  started: count.describe("Of a killed leg up to its last checkpoint."),
  completed: count.exactOptional().describe("Absent of a leg that runs or was killed, as are the next three."),
  failed: count.exactOptional(),
  terminated: count.exactOptional(),
  unfinished: count.exactOptional(),
  verdict: oneOf("valid", "suspect", "invalid").exactOptional(),
  lost: count
    .exactOptional()
    .describe("Accepted, and not on the task hub at the end; absent if it could not be asked."),
  result: string.exactOptional().describe("The file of its result in the folder of the soak; absent of a killed leg."),
  account: account.exactOptional().describe("What the task hub has of a killed leg."),
});

/** `soak.json` in the folder of a soak. Names are a published contract: fields may be added, none renamed. */
export const soakSchema = object({
  schemaVersion: z.literal(1, "1"),
  soakId: string,
  startedAt: time,
  durationMs: number.describe("How long starts are to be sent, over all legs."),
  everyMs: number,
  learnMs: number,
  ratePerSecond: number,
  backend: string,
  taskHub: string,
  inputsSha256: string.exactOptional().describe("Of the file of --input."),
  flags: z
    .record(string, plain, "an object of flags")
    .describe("The call without the connection string, to resume it."),
  ended: oneOf("running", "done", "interrupted", "stopped"),
  legs: list(leg),
  alarms: list(alarm),
});

/** `alarm-N.json` in the folder of a soak. */
export const soakEvidenceSchema = object({
  schemaVersion: z.literal(1, "1"),
  soakId: string,
  alarm,
  offeredPerSecond: number,
  inFlight: count,
  workers: count.exactOptional(),
  rpcErrorsByCall: byName(byGrpcStatus, "an object of counts by call").describe("Of the leg so far."),
  stuck: list(object({ instanceId: string, status: string })).describe(
    "The oldest instances in flight. missing: the task hub has none of that id; unknown: it did not answer.",
  ),
  timelines: list(timeline).describe("Of a few of them."),
  withoutTimelines: string.exactOptional().describe("Why there are not more."),
  intervals: list(soakInterval).describe("Before the alarm."),
});

export type Soak = ValueOf<typeof soakSchema>;
export type SoakLeg = ValueOf<typeof leg>;
export type SoakAccount = ValueOf<typeof account>;
export type SoakAlarm = ValueOf<typeof alarm>;
export type SoakSeries = ValueOf<typeof series>;
export type SoakInterval = ValueOf<typeof soakInterval>;
export type SoakEvidence = ValueOf<typeof soakEvidenceSchema>;
