import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CHUNK_EVENT,
  NEW_EVENT,
  PAST_EVENT,
  commonEvents,
  frame,
  frameEnd,
  framedBytes,
  markAsPast,
  runEnd,
  standsAt,
  unframe,
} from "../../../src/protocol/event-frames.js";
import { pb } from "../../../src/protocol/sidecar-stubs.js";

/** Encoded events: long ones take a length of several bytes, and few bytes to choose from make them alike. */
const event = fc.oneof(
  fc.uint8Array({ max: 2, maxLength: 4 }),
  fc.uint8Array({ minLength: 120, maxLength: 300 }),
  fc.constant(new Uint8Array(20_000)),
);
const events = fc.array(event, { maxLength: 6 });

function framedAlone(tag: number, event: Uint8Array): Uint8Array {
  const length: number[] = [];
  for (let rest = event.length; ; rest >>>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) return Uint8Array.from([tag, ...length, ...event]);
  }
}

function framed(tag: number, events: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(events.map((event) => framedAlone(tag, event))));
}

function asText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

test("the tags are those of the SDK's messages", () => {
  const request = new pb.OrchestratorRequest();
  request.setPasteventsList([new pb.HistoryEvent()]);
  request.setNeweventsList([new pb.HistoryEvent()]);
  expect([...request.serializeBinary()]).toEqual([PAST_EVENT, 0, NEW_EVENT, 0]);
  const chunk = new pb.HistoryChunk();
  chunk.setEventsList([new pb.HistoryEvent()]);
  expect([...chunk.serializeBinary()]).toEqual([CHUNK_EVENT, 0]);
});

test("events come back from a frame as they went in", () => {
  fc.assert(
    fc.property(events, fc.constantFrom(PAST_EVENT, NEW_EVENT, CHUNK_EVENT), (events, tag) => {
      const bytes = frame(tag, events);
      expect(Buffer.compare(bytes, framed(tag, events))).toBe(0);
      expect(bytes).toHaveLength(framedBytes(events));
      expect([...unframe(bytes)].map(asText)).toEqual(events.map(asText));
    }),
  );
});

test("a run ends where another tag begins, or the bytes do", () => {
  fc.assert(
    fc.property(events, events, (past, fresh) => {
      const pastBytes = framed(PAST_EVENT, past);
      const bytes = Buffer.concat([pastBytes, framed(NEW_EVENT, fresh)]);
      expect(runEnd(bytes, 0, PAST_EVENT)).toBe(pastBytes.length);
      expect(runEnd(bytes, pastBytes.length, NEW_EVENT)).toBe(bytes.length);
      expect(runEnd(bytes, bytes.length, NEW_EVENT)).toBe(bytes.length);
    }),
  );
});

test("an event that is cut off is told, wherever the cut is", () => {
  const bytes = framedAlone(PAST_EVENT, new Uint8Array(200));
  expect(frameEnd(bytes, 0)).toBe(bytes.length);
  for (let length = 1; length < bytes.length; length++)
    expect(() => frameEnd(bytes.subarray(0, length), 0)).toThrow(RangeError);
});

test("new events become past ones, and nothing else changes", () => {
  fc.assert(
    fc.property(events, (fresh) => {
      const bytes = framed(NEW_EVENT, fresh);
      markAsPast(bytes);
      expect(standsAt(bytes, 0, framed(PAST_EVENT, fresh))).toBe(true);
    }),
  );
});

describe("comparing", () => {
  test("what two histories have in common are their first events that are alike", () => {
    fc.assert(
      fc.property(events, events, events, fc.nat({ max: 5 }), (common, rest, otherRest, offset) => {
        const history = [...common, ...rest];
        const other = [...common, ...otherRest];
        const bytes = Buffer.concat([new Uint8Array(offset).fill(PAST_EVENT), framed(PAST_EVENT, other)]);
        const alike = history.findIndex((event, index) => !Buffer.from(event).equals(other[index] ?? Buffer.from("?")));
        const count = alike === -1 ? history.length : alike;
        expect(commonEvents(framed(PAST_EVENT, history), bytes, offset)).toEqual({
          count,
          bytes: framed(PAST_EVENT, history.slice(0, count)).length,
        });
      }),
    );
  });

  test("bytes stand where they are found in full", () => {
    const bytes = Uint8Array.of(1, 2, 3, 4);
    expect(standsAt(bytes, 1, Uint8Array.of(2, 3))).toBe(true);
    expect(standsAt(bytes, 2, Uint8Array.of(2, 3))).toBe(false);
    expect(standsAt(bytes, 3, Uint8Array.of(4, 5))).toBe(false);
    expect(standsAt(bytes, 4, new Uint8Array(0))).toBe(true);
  });
});
