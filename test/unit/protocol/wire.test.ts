import * as fc from "fast-check";
import timestamps from "google-protobuf/google/protobuf/timestamp_pb.js";
import { describe, expect, test } from "vitest";
import { BinaryReader, BinaryWriter, WireType, decode, fieldTimestamp } from "../../../src/protocol/wire.js";
import { StringValue, pb } from "../../../src/protocol/sidecar-stubs.js";

/** A field that holds the Timestamp, as microseconds. */
function readBack(timestamp: Uint8Array): number {
  const field = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(timestamp).finish();
  return decode({ at: [1, "timestamp"] } as const, field).at;
}

/** The `google.protobuf.Timestamp` that the field holds. */
function written(us: number): Uint8Array {
  const reader = new BinaryReader(fieldTimestamp(new BinaryWriter(), 1, us).finish());
  reader.tag();
  return reader.bytes();
}

function timestamp(seconds: number, nanos = 0): Uint8Array {
  const value = new timestamps.Timestamp();
  value.setSeconds(seconds);
  value.setNanos(nanos);
  return value.serializeBinary();
}

describe("a timestamp", () => {
  test("is read as it was written, to the microsecond, by us and by the SDK's stubs", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (us) => {
        expect(readBack(written(us))).toBe(us);
        const read = timestamps.Timestamp.deserializeBinary(written(us));
        expect(BigInt(read.getSeconds()) * 1_000_000n + BigInt(read.getNanos() / 1000)).toBe(BigInt(us));
      }),
    );
  });

  test.each<[string, Uint8Array, number]>([
    ["nothing in it", new Uint8Array(0), 0],
    ["nanoseconds", timestamp(1, 123_456_789), 1_123_456],
    ["the last second of 32 bits", timestamp(2 ** 32), 2 ** 32 * 1e6],
    // .NET's DateTime.MaxValue and MinValue, which programs send for "never" and "always".
    ["the year 9999", timestamp(253_402_300_799), Number.MAX_SAFE_INTEGER],
    ["the year 1", timestamp(-62_135_596_800), 0],
  ])("with %s is read as microseconds that are exact", (_, bytes, us) => {
    expect(readBack(bytes)).toBe(us);
  });
});

test("a schema reads the fields that it names and skips all others", () => {
  const request = new pb.CreateInstanceRequest();
  request.setInstanceid("id");
  request.setName("name");
  const input = new StringValue();
  input.setValue("input");
  request.setInput(input);
  request.getTagsMap().set("key", "value");
  const schema = {
    instanceId: [1, "string"],
    input: [4, "stringValue"],
    tags: [8, "messages"],
    none: [3, "bytes"],
  } as const;
  const read = decode(schema, request.serializeBinary());
  expect(read).toMatchObject({ instanceId: "id", input: "input", none: undefined });
  expect(read.tags).toHaveLength(1);
});

test.each([
  ["packed", [0x0a, 0x03, 1, 6, 3]],
  ["one by one", [0x08, 1, 0x08, 6, 0x08, 3]],
  ["both", [0x0a, 0x02, 1, 6, 0x08, 3]],
])("enums that come %s are read alike", (_, bytes) => {
  expect(decode({ statuses: [1, "enums"] } as const, new Uint8Array(bytes)).statuses).toEqual([1, 6, 3]);
});

test("two messages do not share their lists", () => {
  const schema = { ids: [1, "strings"] } as const;
  const bytes = new Uint8Array([0x0a, 0x01, 0x61]);
  expect([decode(schema, bytes).ids, decode(schema, bytes).ids]).toEqual([["a"], ["a"]]);
});
