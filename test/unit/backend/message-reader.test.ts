import { status } from "@grpc/grpc-js";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MessageReader, checkLength } from "../../../src/backend/message-reader.js";
import { framed } from "../../../src/protocol/grpc-frame.js";

/** A reader, and a copy of each message that it has handed on. */
function reading(mostBytes = Infinity): { readonly reader: MessageReader; readonly messages: Buffer[] } {
  const messages: Buffer[] = [];
  const reader = new MessageReader(mostBytes, { onMessage: (message) => messages.push(Buffer.from(message)) });
  return { reader, messages };
}

function piecesOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

describe("messages", () => {
  const messages = ["first", "", "the third", "", ""].map((text) => Buffer.from(text));
  const bytes = Buffer.concat(messages.map(framed));

  test.each(Array.from({ length: bytes.length + 1 }, (_, at) => at))("cut at byte %d are read", (at) => {
    const { reader, messages: read } = reading();
    reader.add(bytes.subarray(0, at));
    reader.add(bytes.subarray(at));
    expect(read).toEqual(messages);
    expect(reader.isPartial).toBe(false);
  });

  test("that come byte by byte are each there with their last byte", () => {
    const { reader, messages: read } = reading();
    for (const message of messages) {
      const frame = framed(message);
      for (let at = 0; at < frame.length; at += 1) {
        const before = read.length;
        reader.add(frame.subarray(at, at + 1));
        const isLast = at + 1 === frame.length;
        expect(read.length).toBe(isLast ? before + 1 : before);
        expect(reader.isPartial).toBe(!isLast);
      }
    }
    expect(read).toEqual(messages);
  });

  test("do not depend on the chunks", () => {
    const property = fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 }),
      fc.array(fc.nat({ max: 500 }), { maxLength: 30 }),
      (sent, cuts) => {
        const { reader, messages: read } = reading();
        for (const piece of piecesOf(Buffer.concat(sent.map(framed)), cuts)) reader.add(piece);
        expect(read.map((message) => new Uint8Array(message))).toEqual(sent);
        expect(reader.isPartial).toBe(false);
      },
    );
    fc.assert(property, { numRuns: 300 });
  });

  test("that come in one piece are not copied", () => {
    const chunk = Buffer.concat([framed(Buffer.from("one")), framed(Buffer.from("two"))]);
    const read: Buffer[] = [];
    new MessageReader(Infinity, { onMessage: (message) => read.push(message) }).add(chunk);
    expect(read.map(String)).toEqual(["one", "two"]);
    expect(read.map(({ buffer }) => buffer)).toEqual([chunk.buffer, chunk.buffer]);
  });

  test("of 8 MiB are read, with the messages behind them", () => {
    const large = Buffer.alloc(8 * 1_048_576, "abc");
    const sent = Buffer.concat([framed(Buffer.from("before")), framed(large), framed(Buffer.from("behind"))]);
    const { reader, messages: read } = reading();
    for (let at = 0; at < sent.length; at += 16_384) reader.add(sent.subarray(at, at + 16_384));
    expect(read.map(({ length }) => length)).toEqual([6, large.length, 6]);
    expect(read[1]!.equals(large)).toBe(true);
  });
});

describe("a prefix", () => {
  test.each([1, 2, 4])("cut at byte %d is refused when it announces compression, after the earlier messages", (at) => {
    const { reader, messages } = reading();
    const compressed = Buffer.from([1, 0, 0, 0, 9]);
    reader.add(Buffer.concat([framed(Buffer.from("fine")), compressed.subarray(0, at)]));
    expect(messages.map(String)).toEqual(["fine"]);
    expect(() => reader.add(compressed.subarray(at))).toThrow("compressed message");
  });

  test("is refused when it announces a message that is too long", () => {
    const { reader, messages } = reading(10);
    reader.add(framed(Buffer.alloc(10)));
    expect(messages).toHaveLength(1);
    const tooLong = expect.objectContaining({ code: status.RESOURCE_EXHAUSTED });
    expect(() => reader.add(Buffer.from([0, 0, 0, 0, 11]))).toThrow(tooLong);
  });
});

test("a message is sent up to the length that is allowed", () => {
  expect(() => checkLength(Buffer.alloc(10), 10)).not.toThrow();
  expect(() => checkLength(Buffer.alloc(11), 10)).toThrow("11 bytes, where 10 are allowed");
});
