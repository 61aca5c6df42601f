import struct from "google-protobuf/google/protobuf/struct_pb.js";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StringValue, Timestamp, decodeMessage, pb, type MessageType } from "../../../src/protocol/sidecar-stubs.js";
import { findHistoryEnd, readRequestHead } from "../../../src/protocol/orchestrator-request.js";
import { readActivityRequest, readWorkItem } from "../../../src/protocol/read-work-item.js";

interface Message {
  serializeBinary(): Uint8Array;
  toObject(): object;
}

/** What comes from a backend, with everything in it that messages of the protocol are made of. */
const MESSAGES: readonly (readonly [string, MessageType<Message>, Message])[] = [
  ["QueryInstancesResponse", pb.QueryInstancesResponse, queryResponse()],
  ["GetInstanceResponse", pb.GetInstanceResponse, instanceResponse()],
  ["ListInstanceIdsResponse", pb.ListInstanceIdsResponse, idsResponse()],
  ["PurgeInstancesResponse", pb.PurgeInstancesResponse, purgeResponse()],
  ["OrchestratorRequest", pb.OrchestratorRequest, orchestratorRequest()],
];

/** The slowest of them takes 10 ms, on a machine that does nothing else; what is believed to be 4 GiB long takes minutes. */
const MOST_MS = 10_000;

describe.each(MESSAGES)("a %s", (_, type, message) => {
  const bytes = message.serializeBinary();

  test("is read as the stubs read it", () => {
    expect(decodeMessage(type, bytes).toObject()).toEqual(message.toObject());
    expect(decodeMessage(type, Buffer.from(bytes)).toObject()).toEqual(message.toObject());
  });

  test("that is mutated is read or refused, in no time", () => {
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
        expect(timeOf(() => decodeMessage(type, mutations.reduce(mutated, bytes)))).toBeLessThan(MOST_MS);
      }),
      { numRuns: 1_000 },
    );
  });

  test("of random bytes is read or refused, in no time", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (random) => {
        expect(timeOf(() => decodeMessage(type, random))).toBeLessThan(MOST_MS);
      }),
      { numRuns: 1_000 },
    );
  });

  test("as long as a message may not be, in one that is seven bytes, is refused", () => {
    const told = Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x01);
    expect(() => decodeMessage(type, told)).toThrow(/4294967295 bytes long, 4294967294 beyond/u);
  });
});

test("what is nested without end is refused", () => {
  let failure = new pb.TaskFailureDetails();
  for (let depth = 0; depth < 101; depth += 1) {
    const outer = new pb.TaskFailureDetails();
    outer.setInnerfailure(failure);
    failure = outer;
  }
  const bytes = failure.serializeBinary();
  expect(() => decodeMessage(pb.TaskFailureDetails, bytes)).toThrow(/deeper than 100 messages/u);
  const many = Buffer.alloc(2_000_002, Uint8Array.of(0x0a, 0));
  expect(() => decodeMessage(pb.QueryInstancesResponse, many)).toThrow(/more than 1000000 messages/u);
});

test("the entry of a map is no place for a length that is too long either", () => {
  const state = new pb.OrchestrationState();
  state.getTagsMap().set("key", "value");
  const entry = Buffer.from("key\u0012\u0005value");
  const bytes = Buffer.from(state.serializeBinary());
  const at = bytes.indexOf(entry);
  expect(at).toBeGreaterThan(0);
  for (const length of [at - 1, at + "key\u0012".length]) {
    const wrong = Buffer.concat([bytes.subarray(0, length), Buffer.of(0x7f), bytes.subarray(length + 1)]);
    expect(() => decodeMessage(pb.OrchestrationState, wrong)).toThrow(/127 bytes long/u);
  }
});

test("work items are read or refused, in no time", () => {
  const item = new pb.WorkItem();
  item.setOrchestratorrequest(orchestratorRequest());
  item.setCompletiontoken("token");
  const whole = item.serializeBinary();
  fc.assert(
    fc.property(fc.array(mutation, { maxLength: 4 }), (mutations) => {
      const bytes = mutations.reduce(mutated, whole);
      const took = timeOf(() => {
        const read = readWorkItem(bytes);
        if (read.kind !== "orchestrator" && read.kind !== "activity") return;
        readActivityRequest(read.request);
        findHistoryEnd(read.request, readRequestHead(read.request).historyStart);
      });
      expect(took).toBeLessThan(MOST_MS);
    }),
    { numRuns: 2_000 },
  );
});

/** Milliseconds that it took, whether or not the bytes could be read. */
function timeOf(read: () => unknown): number {
  const startedMs = performance.now();
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
  }
  return performance.now() - startedMs;
}

type Mutation = readonly [at: number, bytes: Uint8Array, replaced: number];

/** Some bytes in place of others. Lengths of 32 and 64 bits are among them. */
const mutation: fc.Arbitrary<Mutation> = fc.tuple(
  fc.nat(10_000),
  fc.oneof(
    fc.uint8Array({ maxLength: 4 }),
    fc.constantFrom(
      Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f),
      Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x10),
      Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
      Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0x7f),
    ),
  ),
  fc.nat(5),
);

function mutated(bytes: Uint8Array, [at, put, replaced]: Mutation): Uint8Array {
  const start = at % (bytes.length + 1);
  return Uint8Array.from([...bytes.subarray(0, start), ...put, ...bytes.subarray(start + replaced)]);
}

function text(value: string): InstanceType<typeof StringValue> {
  const message = new StringValue();
  message.setValue(value);
  return message;
}

function failure(): InstanceType<typeof pb.TaskFailureDetails> {
  const inner = new pb.TaskFailureDetails();
  inner.setErrormessage("of the innermost, with an ö");
  const properties = new struct.Struct();
  properties.getFieldsMap().set("inside", valueOf("deep"));
  const nested = new struct.Value();
  nested.setStructValue(properties);
  const message = new pb.TaskFailureDetails();
  message.setErrortype("Error");
  message.setErrormessage("went wrong");
  message.setStacktrace(text("at a\nat b"));
  message.setInnerfailure(inner);
  message.setIsnonretriable(true);
  message.getPropertiesMap().set("text", valueOf("shallow")).set("structure", nested);
  return message;
}

function valueOf(value: string): InstanceType<typeof struct.Value> {
  const message = new struct.Value();
  message.setStringValue(value);
  return message;
}

function state(): InstanceType<typeof pb.OrchestrationState> {
  const at = new Timestamp();
  at.setSeconds(1_700_000_000);
  at.setNanos(123_456_789);
  const message = new pb.OrchestrationState();
  message.setInstanceid("run-00000-001");
  message.setName("Orchestrator");
  message.setOrchestrationstatus(pb.OrchestrationStatus.ORCHESTRATION_STATUS_FAILED);
  message.setCreatedtimestamp(at);
  message.setLastupdatedtimestamp(at);
  message.setOutput(text("ä".repeat(150)));
  message.setFailuredetails(failure());
  message.getTagsMap().set("a", "1").set("", "");
  return message;
}

function queryResponse() {
  const message = new pb.QueryInstancesResponse();
  message.setOrchestrationstateList([state(), state()]);
  message.setContinuationtoken(text("next"));
  return message;
}

function instanceResponse() {
  const message = new pb.GetInstanceResponse();
  message.setOrchestrationstate(state());
  message.setExists(true);
  return message;
}

function idsResponse() {
  const message = new pb.ListInstanceIdsResponse();
  message.setInstanceidsList(["a", "b", "ccc"]);
  message.setLastinstancekey(text("ccc"));
  return message;
}

function purgeResponse() {
  const complete = new pb.PurgeInstancesResponse();
  complete.setDeletedinstancecount(1_000_000);
  return complete;
}

function orchestratorRequest() {
  const started = new pb.ExecutionStartedEvent();
  started.setName("Orchestrator");
  started.setInput(text('{"iterations":10}'));
  started.getTagsMap().set("tag", "value");
  const failed = new pb.TaskFailedEvent();
  failed.setTaskscheduledid(-1);
  failed.setFailuredetails(failure());
  const [first, second] = [new pb.HistoryEvent(), new pb.HistoryEvent()];
  first.setExecutionstarted(started);
  second.setEventid(-1);
  second.setTaskfailed(failed);
  const message = new pb.OrchestratorRequest();
  message.setInstanceid("run-00000-001");
  message.setExecutionid(text("execution"));
  message.setPasteventsList([first]);
  message.setNeweventsList([second]);
  return message;
}
