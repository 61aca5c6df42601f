/**
 * What the codecs by hand save beside the generated messages of `@bufbuild/protobuf`, each on what the workload sends.
 *
 *     npm run build && node bench/codecs.ts [--rounds 21]
 *
 * Both sides of a pair run in turn, 10 ms at a time. Prints medians in nanoseconds and the median of the rounds' ratios,
 * by hand / library: under 1 is what the codec by hand saves.
 */
import { parseArgs } from "node:util";
import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import {
  ActivityResponseSchema,
  HistoryChunkSchema,
  HistoryEventSchema,
  OrchestrationInstanceSchema,
  OrchestratorRequestSchema,
  WorkItemSchema,
} from "../dist/protocol/durabletask_pb.js";
import { CHUNK_EVENT, PAST_EVENT, frame } from "../dist/protocol/event-frames.js";
import { HistoryTally } from "../dist/protocol/history-chunk.js";
import { subjectOf, taskCompleted, taskScheduled, viewEvent } from "../dist/protocol/history-event.js";
import { timestampOf } from "../dist/protocol/messages.js";
import { readRequestHead } from "../dist/protocol/orchestrator-request.js";
import { readActivityRequest, readWorkItem, writeActivityResult } from "../dist/protocol/read-work-item.js";
import { stringValue, textOf } from "../dist/protocol/wire.js";
import { activityParent, activityWorkItem, episodeHead, episodeWorkItem } from "../dist/protocol/write-work-item.js";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "21" } } });
const ROUNDS = Number(values.rounds);
const ROUND_MS = 10;

const NOW_US = 1_764_000_000_123_456;
const ID = "rmwwpoinwsv1g-0-17";
const EXECUTION = "3f0c2a9d5b7e4c18";
const NAME = "FanOutFanInActivity";
const TOKEN = "b1946ac92492d2347c6235b4d2611184";
const INPUT = '{"iterationNumber":3,"activityNumber":7}';
const OUTPUT = '{"iterationNumber":3,"activityNumber":7,"processingTimeMs":0,"output":"Hello World"}';
const HISTORY_EVENTS = 200;

const input = stringValue(INPUT);
const output = stringValue(OUTPUT);
const timestamp = timestampOf(NOW_US);
const task = { name: NAME, version: undefined, input, traceContext: undefined, tags: [] };
const parent = activityParent(ID, EXECUTION);
const head = episodeHead(ID, EXECUTION);
const scheduled = taskScheduled(7, task, NOW_US);
const completed = taskCompleted(7, output, NOW_US);
const events = Array.from({ length: HISTORY_EVENTS }, (_, number) => (number % 2 === 0 ? scheduled : completed));
const history = frame(PAST_EVENT, events);
const chunk = frame(CHUNK_EVENT, events);
const instance = { instanceId: ID, executionId: stringValue(EXECUTION) };
const activityItem = plain(activityWorkItem(parent, 7, task, TOKEN));
const episode = { head, history, newEvents: [completed], token: TOKEN };
const { request } = readWorkItem(plain(Buffer.concat(episodeWorkItem(episode)))) as { readonly request: Uint8Array };
const done = { name: NAME, input: INPUT, instanceId: ID, taskId: 7 };

interface Pair {
  readonly what: string;
  readonly byHand: () => unknown;
  readonly library: () => unknown;
}

const PAIRS: readonly Pair[] = [
  {
    what: "TaskScheduled written",
    byHand: () => taskScheduled(7, task, NOW_US),
    library: () => {
      const eventType = { case: "taskScheduled", value: { name: NAME, input } } as const;
      return toBinary(HistoryEventSchema, create(HistoryEventSchema, { eventId: 7, timestamp, eventType }));
    },
  },
  {
    what: "TaskCompleted written",
    byHand: () => taskCompleted(7, output, NOW_US),
    library: () => {
      const eventType = { case: "taskCompleted", value: { taskScheduledId: 7, result: output } } as const;
      return toBinary(HistoryEventSchema, create(HistoryEventSchema, { eventId: -1, timestamp, eventType }));
    },
  },
  {
    what: "TaskCompleted read",
    byHand: () => subjectOf(viewEvent(completed)),
    library: () => fromBinary(HistoryEventSchema, completed).eventType.value,
  },
  {
    what: "work item of an activity written",
    byHand: () => activityWorkItem(parent, 7, task, TOKEN),
    library: () => {
      const orchestrationInstance = toBinary(
        OrchestrationInstanceSchema,
        create(OrchestrationInstanceSchema, instance),
      );
      const value = { name: NAME, input, orchestrationInstance, taskId: 7 };
      return writtenItem({ case: "activityRequest", value });
    },
  },
  {
    what: "work item of an activity read",
    byHand: () => readActivityRequest((readWorkItem(activityItem) as { readonly request: Uint8Array }).request),
    library: () => {
      const { value } = fromBinary(WorkItemSchema, activityItem).request;
      if (value?.$typeName !== "ActivityRequest") throw new Error("expected an activity");
      const of = fromBinary(OrchestrationInstanceSchema, value.orchestrationInstance!);
      return [textOf(value.input!), of.instanceId];
    },
  },
  {
    what: "ActivityResponse written",
    byHand: () => writeActivityResult(done, TOKEN, OUTPUT),
    library: () => {
      const message = { instanceId: ID, taskId: 7, result: stringValue(OUTPUT), completionToken: TOKEN };
      return toBinary(ActivityResponseSchema, create(ActivityResponseSchema, message));
    },
  },
  {
    what: `work item of an episode written, ${HISTORY_EVENTS} events`,
    byHand: () => episodeWorkItem(episode),
    library: () => {
      const value = { ...instance, pastEvents: events, newEvents: [completed] };
      return writtenItem({ case: "orchestratorRequest", value });
    },
  },
  {
    what: `head of an episode read, ${HISTORY_EVENTS} events`,
    byHand: () => readRequestHead(request),
    library: () => fromBinary(OrchestratorRequestSchema, request),
  },
  {
    what: `types of ${HISTORY_EVENTS} events counted`,
    byHand: () => new HistoryTally().add(chunk),
    library: () => fromBinary(HistoryChunkSchema, chunk).events.map((event) => fromBinary(HistoryEventSchema, event)),
  },
];

function writtenItem(request: MessageInitShape<typeof WorkItemSchema>["request"] & {}): Uint8Array {
  return toBinary(WorkItemSchema, create(WorkItemSchema, { request, completionToken: TOKEN }));
}

/** As bytes arrive in a worker: no Buffer. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

let sink: unknown;

/** Nanoseconds of one call, over a round. */
function nanoseconds(call: () => unknown): number {
  const beganMs = performance.now();
  let calls = 0;
  let elapsedMs = 0;
  while (elapsedMs < ROUND_MS) {
    for (let index = 0; index < 100; index += 1) sink = call();
    calls += 100;
    elapsedMs = performance.now() - beganMs;
  }
  return (elapsedMs * 1e6) / calls;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}

console.log(`${"".padEnd(50)}${"by hand".padStart(10)}${"library".padStart(10)}${"ratio".padStart(8)}`);
for (const { what, byHand, library } of PAIRS) {
  nanoseconds(byHand);
  nanoseconds(library);
  const rounds = Array.from({ length: ROUNDS }, () => [nanoseconds(byHand), nanoseconds(library)] as const);
  const hand = median(rounds.map(([ns]) => ns));
  const other = median(rounds.map(([, ns]) => ns));
  const ratio = median(rounds.map(([ours, theirs]) => ours / theirs));
  console.log(
    `${what.padEnd(50)}${`${hand.toFixed(0)} ns`.padStart(10)}${`${other.toFixed(0)} ns`.padStart(10)}${ratio.toFixed(2).padStart(8)}`,
  );
}
if (sink === undefined) throw new Error("nothing was measured");
