import { describe, expect, test } from "vitest";
import { findHistoryEnd, readRequestHead, withoutBytes } from "../../../src/protocol/orchestrator-request.js";
import { StringValue, pb } from "../../../src/protocol/sidecar-stubs.js";

function readAll(request: Uint8Array): void {
  findHistoryEnd(request, readRequestHead(request).historyStart);
}

const EVENT = new pb.HistoryEvent();
EVENT.setEventid(300);

type Request = InstanceType<typeof pb.OrchestratorRequest>;

function encode(fill: (request: Request) => void): Uint8Array {
  const request = new pb.OrchestratorRequest();
  fill(request);
  return request.serializeBinary();
}

const instance = encode((request) => request.setInstanceid("instance-1"));
const execution = encode((request) => {
  const value = new StringValue();
  value.setValue("execution-1");
  request.setExecutionid(value);
});
const past = encode((request) => request.setPasteventsList([EVENT, EVENT]));
const fresh = encode((request) => request.setNeweventsList([EVENT]));
const streaming = encode((request) => request.setRequireshistorystreaming(true));

const NAMES = { instanceId: "instance-1", executionId: "execution-1" };
const NAMELESS = { instanceId: "", executionId: "" };
const HEAD = instance.length + execution.length;

const requests: readonly [string, Uint8Array[], object, number | undefined][] = [
  ["past and new events", [instance, execution, past, fresh, streaming], NAMES, HEAD + past.length + fresh.length],
  ["new events alone", [instance, execution, fresh], NAMES, HEAD + fresh.length],
  ["past events alone", [instance, execution, past], NAMES, HEAD + past.length],
  ["no events", [instance, execution, streaming], NAMES, HEAD + streaming.length],
  ["fields in front", [streaming, instance, execution, past], NAMES, streaming.length + HEAD + past.length],
  ["names behind the history", [past, fresh, instance, execution], NAMELESS, past.length + fresh.length],
  ["new events in front", [instance, execution, fresh, past], NAMES, undefined],
  ["a field between past and new events", [instance, execution, past, streaming, fresh], NAMES, undefined],
  ["past events behind another field", [instance, execution, past, streaming, past], NAMES, undefined],
];

describe.each(requests)("a request with %s", (_, parts, names, end) => {
  const request = new Uint8Array(Buffer.concat(parts));
  const head = readRequestHead(request);

  test("is read up to its history", () => {
    expect(head).toMatchObject(names);
    expect([past[0], fresh[0], undefined]).toContain(request[head.historyStart]);
  });

  test(end === undefined ? "has its events in more than one run" : "has its events in one run", () => {
    expect(findHistoryEnd(request, head.historyStart)).toBe(end);
  });
});

test("a request that is cut off is told, wherever the cut is", () => {
  const request = new Uint8Array(Buffer.concat([instance, execution, past, fresh, streaming]));
  const ends = new Set<number>();
  for (const parts of [[], [instance], [instance, execution], [instance, execution, past, fresh]])
    ends.add(Buffer.concat(parts).length);

  ends.add(HEAD + past.length / 2).add(HEAD + past.length);
  for (let length = 0; length < request.length; length++) {
    const bytes = request.subarray(0, length);
    if (ends.has(length)) expect(() => readAll(bytes)).not.toThrow();
    else expect(() => readAll(bytes)).toThrow(Error);
  }
});

test("bytes are left out of a copy, and the request stays as it is", () => {
  const request = Uint8Array.of(1, 2, 3, 4, 5);
  expect(withoutBytes(request, 1, 3)).toEqual(Uint8Array.of(1, 5));
  expect(withoutBytes(request, 2, 3)).toEqual(Uint8Array.of(1, 2));
  expect(withoutBytes(request, 2, 0)).toBe(request);
  expect(request).toEqual(Uint8Array.of(1, 2, 3, 4, 5));
});
