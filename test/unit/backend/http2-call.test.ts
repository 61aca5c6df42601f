import { EventEmitter } from "node:events";
import { constants, type ClientHttp2Stream } from "node:http2";
import { expect, test } from "vitest";
import { Http2Call } from "../../../src/backend/http2-call.js";
import { UnaryAnswer } from "../../../src/backend/http2-unary-answer.js";
import { framed } from "../../../src/protocol/grpc-frame.js";

const ANSWER = Buffer.from("answer");
const HEADERS = { ":status": 200, "content-type": "application/grpc" };
const OWNER = { isDestroyed: false, onSettled: () => {} };

/** A stream of node:http2 as far as a call sees it: it says what a test says, in that order. */
class StatedStream extends EventEmitter {
  readonly writableFinished = true;
  readonly rstCode = constants.NGHTTP2_NO_ERROR;
  close(): void {}
}

/** What a call comes to whose stream tells these events. */
function outcomeOf(events: readonly (readonly [name: string, ...values: unknown[]])[]): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const stream = new StatedStream();
  const receiver = new UnaryAnswer(resolve, reject);
  const call = new Http2Call(stream as unknown as ClientHttp2Stream, OWNER, { mostBytes: 100, receiver });
  expect(call.deadlineMs).toBe(Infinity);
  for (const [name, ...values] of events) stream.emit(name, ...values);
  return promise.then(String, ({ details }: { details: string }) => details);
}

const headers = ["response", HEADERS, 0] as const;
const trailers = ["trailers", { "grpc-status": "0" }] as const;
const close = ["close"] as const;
const frame = framed(ANSWER);

// Over TLS node:http2 may read while it writes: it hands over the data at once, and the headers a tick later.
test.each([
  ["behind its headers", [headers, ["data", frame], trailers, close], "answer"],
  ["ahead of its headers", [["data", frame], headers, trailers, close], "answer"],
  [
    "in pieces, some ahead of its headers",
    [["data", frame.subarray(0, 3)], ["data", frame.subarray(3, 7)], headers, ["data", frame.subarray(7)], trailers],
    "answer",
  ],
  [
    "ahead of its headers, and longer than is allowed",
    [["data", framed(Buffer.alloc(101))], ["data", frame], headers, trailers],
    "Received a message of 101 bytes, where 100 are allowed",
  ],
  [
    "ahead of the headers of a page, which is no message",
    [["data", frame], ["response", { ":status": 503 }, 0], close],
    "Received HTTP status code 503",
  ],
] as const)("an answer that arrives %s", async (_, events, expected) => {
  expect(await outcomeOf(events)).toBe(expected);
});
