import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import * as fc from "fast-check";
import timestamps from "google-protobuf/google/protobuf/timestamp_pb.js";
import { describe, expect, test } from "vitest";
import { CreateInstanceRequestSchema } from "../../../src/protocol/durabletask_pb.js";
import { microsecondsOf, readMessage, timestampOf } from "../../../src/protocol/messages.js";
import { BinaryReader, BinaryWriter, WireType, fieldTimestamp, textOf } from "../../../src/protocol/wire.js";
import { StringValue, pb } from "../../../src/protocol/sidecar-stubs.js";

function readBack(timestamp: Uint8Array): number {
  return microsecondsOf(fromBinary(TimestampSchema, timestamp));
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
        expect(readBack(toBinary(TimestampSchema, create(TimestampSchema, timestampOf(us))))).toBe(us);
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

test("a message is read by the fields that are declared, and all others are skipped", () => {
  const request = new pb.CreateInstanceRequest();
  request.setInstanceid("id");
  const input = new StringValue();
  input.setValue("input");
  request.setInput(input);
  request.getTagsMap().set("key", "value");
  const unknown = new BinaryWriter().tag(999, WireType.LengthDelimited).string("later").finish();
  const read = readMessage(CreateInstanceRequestSchema, Buffer.concat([request.serializeBinary(), unknown]));
  expect(read).toMatchObject({ instanceId: "id", name: "" });
  expect(textOf(read.input!)).toBe("input");
  expect(read.version).toBeUndefined();
  expect(read.tags).toHaveLength(1);
  expect(read.$unknown).toBeUndefined();
});
