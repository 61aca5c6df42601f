import { PassThrough } from "node:stream";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { VirtualTime } from "../../support/emulator/virtual-time.js";
import { FrameReader, FrameWriter, LINK_PING_MS, LINK_SILENCE_MS, LinkPulse } from "../../../src/protocol/link.js";

/** Payloads are compared as text: comparing them element by element takes its time. */
interface Received {
  readonly kind: number;
  readonly number: number;
  readonly payload: string;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

interface Frame {
  readonly kind: number;
  readonly number: number;
  readonly payload: Uint8Array;
  readonly prefix: number | undefined;
}

const frames: fc.Arbitrary<Frame> = fc.record({
  kind: fc.integer({ min: 1, max: 255 }),
  number: fc.integer({ min: 0, max: 0xffff_ffff }),
  // Both sides of the sizes from which on payloads are written as they are, and the room is full.
  payload: fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.integer({ min: 16_370, max: 16_390 }).map((length) => new Uint8Array(length).fill(7)),
    fc.integer({ min: 60_000, max: 140_000 }).map((length) => new Uint8Array(length).fill(9)),
  ),
  prefix: fc.option(fc.integer({ min: 0, max: 255 }), { nil: undefined }),
});

/** What comes out at the other end, whose flushes happen after every so many frames. */
function written(sent: readonly Frame[], flushEvery: number): Buffer {
  const out = new PassThrough({ highWaterMark: 2 ** 30 });
  let flush: (() => void) | undefined;
  const writer = new FrameWriter(out, (callback) => (flush = callback));
  for (const [index, { kind, number, payload, prefix }] of sent.entries()) {
    writer.write(kind, number, payload, prefix);
    if (index % flushEvery === 0) flush?.();
  }
  flush?.();
  return (out.read() as Buffer | null) ?? Buffer.alloc(0);
}

function received(bytes: Buffer, cuts: readonly number[]): Received[] {
  const all: Received[] = [];
  const reader = new FrameReader((kind, number, payload) => {
    all.push({ kind, number, payload: text(payload) });
  });
  for (const part of partsOf(bytes, cuts)) reader.add(part);
  return all;
}

function partsOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return places.slice(1).map((place, index) => bytes.subarray(places[index], place));
}

test("frames arrive as they were sent, however their bytes are gathered and cut", () => {
  const lists = fc.array(frames, { minLength: 1, maxLength: 8 });
  const cuts = fc.array(fc.nat({ max: 500_000 }), { maxLength: 12 });
  fc.assert(
    fc.property(lists, cuts, fc.integer({ min: 1, max: 4 }), (sent, cut, flushEvery) => {
      const expected = sent.map(({ kind, number, payload, prefix }) => ({
        kind,
        number,
        payload: (prefix === undefined ? "" : String.fromCharCode(prefix)) + text(payload),
      }));
      expect(received(written(sent, flushEvery), cut)).toEqual(expected);
    }),
    { numRuns: 60 },
  );
});

test("small frames of one turn leave in one write", () => {
  const chunks: Buffer[] = [];
  const out = new PassThrough();
  out.on("data", (chunk: Buffer) => chunks.push(chunk));
  let flush: (() => void) | undefined;
  const writer = new FrameWriter(out, (callback) => (flush = callback));
  for (let number = 0; number < 100; number += 1) writer.write(1, number, Buffer.from("payload"));
  expect(chunks).toEqual([]);
  expect(writer.backlogBytes).toBe(100 * (9 + 7));
  flush?.();
  expect(out.writableLength + (chunks[0]?.length ?? out.readableLength)).toBe(1_600);
});

test("what says that it is a gigabyte is not taken for a frame", () => {
  const reader = new FrameReader(() => {});
  expect(() => reader.add(Buffer.from([0x7f, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0]))).toThrow("does not send frames");
});

test("a frame that is too large is told of as soon as it says so, and those around it arrive, however all are cut", () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 8 });
  fc.assert(
    fc.property(sizes, fc.array(fc.nat(), { maxLength: 12 }), (payloads, cuts) => {
      const sent = payloads.map((size, number) => ({
        kind: 2,
        number,
        payload: new Uint8Array(size),
        prefix: undefined,
      }));
      const bytes = written(sent, 1);
      const got: [number, number, "whole" | "too large"][] = [];
      const reader = new FrameReader(
        (_, number, payload) => got.push([number, payload.length, "whole"]),
        30,
        (_, number, size) => got.push([number, size, "too large"]),
      );
      for (const part of partsOf(bytes, cuts)) reader.add(part);
      expect(got).toEqual(payloads.map((size, number) => [number, size, size > 30 ? "too large" : "whole"]));
    }),
  );
  const told: number[] = [];
  new FrameReader(
    () => {},
    30,
    (_, number) => told.push(number),
  ).add(Buffer.from([0, 0, 1, 0, 2, 0, 0, 0, 7]));
  expect(told).toEqual([7]);
});

test("a frame that comes in parts does not hold what its parts came with", () => {
  const got: string[] = [];
  const reader = new FrameReader((_kind, _number, payload) => got.push(text(payload)));
  const bytes = written([{ kind: 2, number: 1, payload: Buffer.from("x".repeat(100)), prefix: undefined }], 1);
  const read = Buffer.alloc(1_000);
  for (const byte of bytes) {
    // Every read is into the same memory.
    read[0] = byte;
    reader.add(read.subarray(0, 1));
  }
  expect(got).toEqual(["x".repeat(100)]);
});

/** A pulse that beats in virtual time, from a test's first moment on. */
function pulseOf(told: string[]): { readonly time: VirtualTime; readonly pulse: LinkPulse } {
  const time = new VirtualTime();
  const pulse = new LinkPulse(
    () => time.steadyMs(),
    () => told.push("ping"),
    () => told.push("silence"),
  );
  time.every(LINK_PING_MS, () => pulse.beat());
  return { time, pulse };
}

/** What waits in the socket is read before this. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

test("a link whose other end is silent for half a minute is given up, and one that hears something is not", async () => {
  const told: string[] = [];
  const { time, pulse } = pulseOf(told);
  time.advance(LINK_SILENCE_MS - 5_000);
  pulse.heard();
  time.advance(LINK_SILENCE_MS - 5_000);
  await nextTurn();
  expect(new Set(told)).toEqual(new Set(["ping"]));
  time.advance(20_000);
  await nextTurn();
  expect(told).toContain("silence");
});

test("an end that was stopped itself looks at what has arrived first", async () => {
  const told: string[] = [];
  const { time, pulse } = pulseOf(told);
  // The fourth beat finds the silence too long; what waits in the socket is read before the verdict.
  time.advance(4 * LINK_PING_MS);
  pulse.heard();
  await nextTurn();
  expect(told).not.toContain("silence");
});
