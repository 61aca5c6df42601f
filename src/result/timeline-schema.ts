import { z } from "zod";
import { count, list, number, object, oneOf, string, type ValueOf } from "./json-field.js";

const failure = object({ type: string, message: string });

const foldedSpans = object({
  activities: count,
  subOrchestrations: count,
  timers: count,
  failed: count,
  open: count.describe("Those without an answer."),
  meanMs: number.exactOptional().describe("Asked for until answered, on average; of activities, where there are any."),
  maxMs: number.exactOptional().describe("The longest of them."),
  fromIteration: count.exactOptional(),
  toIteration: count.exactOptional(),
});

const timelineSpan = object({
  kind: oneOf("activity", "subOrchestration", "timer", "suspended", "earlierExecutions", "several").describe(
    "earlierExecutions lasts until the last continue-as-new: histories before it are gone. several is a fold of spans of " +
      "several kinds.",
  ),
  name: string.exactOptional().describe("Of the activity or the sub-orchestration."),
  iteration: count.exactOptional().describe("The number of its fan-out in its execution, counted from 0."),
  attempt: count.exactOptional().describe("From 2 on: it repeats one that failed, after a timer."),
  outcome: oneOf("completed", "failed", "open").describe("open: it had no answer."),
  fromMs: number.describe("When it was asked for, from the start of the instance."),
  toMs: number.describe("When its answer was in the history. Of an open one, the end of the timeline."),
  startedMs: number.exactOptional().describe("When its execution began: its worker's stamp by the backend's clock."),
  finishedMs: number.exactOptional().describe("When its execution ended."),
  clockBoundMs: number.exactOptional().describe("startedMs and finishedMs are true within plus or minus this."),
  workerId: string.exactOptional(),
  instanceId: string.exactOptional().describe("Of a sub-orchestration."),
  failure: failure.exactOptional(),
  folded: foldedSpans.exactOptional().describe("What is shown as one."),
});

const timelineMark = object({
  kind: oneOf("event", "suspended", "resumed", "terminated", "rewound", "entity"),
  name: string.exactOptional().describe("Of the event."),
  atMs: number.describe("From the start of the instance."),
});

/** One instance: what it waited for, and when. */
export const timeline = object({
  instanceId: string,
  parentInstanceId: string.exactOptional().describe("Of a sub-orchestration."),
  depth: count.describe("How many sub-orchestrations deep it is."),
  name: string.describe("The orchestration."),
  status: string.describe("Such as Completed, Failed, Terminated, Running."),
  startedAt: string.describe("When it was created, ISO 8601 in UTC, by the backend's clock."),
  startMs: number.describe("When it was created, from the start of the instance that the timeline is of."),
  durationMs: number.describe(
    "Created until ended. Of one that had not ended, until it was read, by the clock of the machine that read it.",
  ),
  ended: z.boolean("true or false"),
  events: count.describe("The events of its history that tell of a moment."),
  episodes: count.describe("Executions of the orchestrator over its history."),
  spans: list(timelineSpan).describe("In the order in which they were asked for."),
  marks: list(timelineMark).describe("What came from outside."),
  moreMarks: count.exactOptional().describe("Marks that are left out."),
  failure: failure.exactOptional(),
  missing: string.exactOptional().describe("What was not read, and why."),
}).meta({ id: "Timeline" });

/** What `fanout timeline --json` writes. */
export const timelinesSchema = object({
  schemaVersion: z.literal(1, "1"),
  taskHub: string,
  timelines: list(timeline).describe("Each instance that was asked for, followed by its sub-orchestrations."),
  unknown: list(string).describe("Ids that the task hub does not know."),
  error: object({ code: string, message: string }).exactOptional().describe("About the unknown ids."),
});

export type Timeline = ValueOf<typeof timeline>;
export type TimelineSpan = ValueOf<typeof timelineSpan>;
export type TimelineMark = ValueOf<typeof timelineMark>;
export type Timelines = ValueOf<typeof timelinesSchema>;
