import { constants, type ServerHttp2Stream } from "node:http2";
import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { framed } from "../../../src/protocol/grpc-frame.js";
import {
  ANSWER,
  Http2TestServer,
  OK,
  REQUEST,
  WIRES,
  answer,
  answerAtOnce,
  call,
  errorOf,
} from "../../support/backend/http2-test-server.js";

let server: Http2TestServer;

describe.each(WIRES)("over %s", (wire) => {
  beforeEach(async () => {
    server = await Http2TestServer.start(wire);
  });

  afterEach(async () => {
    await server.close();
  });

  describe("a server that answers with", () => {
    const compressed = Buffer.from([1, 0, 0, 0, 1, 65]);
    test.each<[string, (stream: ServerHttp2Stream) => void, status, RegExp]>([
      [
        "an error in its trailers",
        (stream) => answer(stream, [], { "grpc-status": "5", "grpc-message": "no %E2%82%AC%0A100%25" }),
        status.NOT_FOUND,
        /^no € 100%$/u,
      ],
      [
        "an error and nothing else",
        (stream) => answerAtOnce(stream, { "grpc-status": "16", "grpc-message": "who?" }),
        status.UNAUTHENTICATED,
        /^who\?$/u,
      ],
      [
        "an error behind a message",
        (stream) => answer(stream, framed(REQUEST), { "grpc-status": "13" }),
        status.INTERNAL,
        /^$/u,
      ],
      [
        "an error message that is not encoded",
        (stream) => answerAtOnce(stream, { "grpc-status": "3", "grpc-message": "50% wrong" }),
        status.INVALID_ARGUMENT,
        /^50% wrong$/u,
      ],
      ["a status that gRPC has not", (stream) => answerAtOnce(stream, { "grpc-status": "99" }), status.UNKNOWN, /^$/u],
      ["success and no message", (stream) => answer(stream, []), status.UNIMPLEMENTED, /No message received/u],
      ["success at once", (stream) => answerAtOnce(stream, OK), status.UNIMPLEMENTED, /No message received/u],
      [
        "half a message",
        (stream) => answer(stream, framed(REQUEST).subarray(0, 8)),
        status.INTERNAL,
        /ended before its length/u,
      ],
      [
        "two messages",
        (stream) => answer(stream, [framed(REQUEST), framed(REQUEST)]),
        status.UNIMPLEMENTED,
        /Too many responses/u,
      ],
      [
        "two messages in one frame",
        (stream) => answer(stream, Buffer.concat([framed(REQUEST), framed(REQUEST)])),
        status.UNIMPLEMENTED,
        /Too many responses/u,
      ],
      ["a compressed message", (stream) => answer(stream, compressed), status.INTERNAL, /compressed/u],
      [
        "trailers without a status",
        (stream) => answer(stream, [], { a: "b" }),
        status.UNKNOWN,
        /HTTP status code 200/u,
      ],
      [
        "no trailers",
        (stream) => {
          stream.respond(ANSWER);
          stream.end(framed(REQUEST));
        },
        status.INTERNAL,
        /without a gRPC status/u,
      ],
      ...[
        ...new Map<number, status>([
          [400, status.INTERNAL],
          [401, status.UNAUTHENTICATED],
          [403, status.PERMISSION_DENIED],
          [404, status.UNIMPLEMENTED],
          [429, status.UNAVAILABLE],
          [500, status.UNKNOWN],
          [502, status.UNAVAILABLE],
          [503, status.UNAVAILABLE],
          [504, status.UNAVAILABLE],
        ]),
      ].flatMap(([httpStatus, code]): [string, (stream: ServerHttp2Stream) => void, status, RegExp][] => [
        [
          `HTTP status ${httpStatus} and a page`,
          (stream) => {
            stream.respond({ ":status": httpStatus, "content-type": "text/html" });
            stream.end("<html>no</html>");
          },
          code,
          new RegExp(`HTTP status code ${httpStatus}`, "u"),
        ],
        [
          `HTTP status ${httpStatus} alone`,
          (stream) => stream.respond({ ":status": httpStatus }, { endStream: true }),
          code,
          new RegExp(`HTTP status code ${httpStatus}`, "u"),
        ],
      ]),
      [
        "HTTP status 503 and a gRPC status",
        (stream) => answerAtOnce(stream, { ":status": 503, "grpc-status": "8", "grpc-message": "full" }),
        status.RESOURCE_EXHAUSTED,
        /^full$/u,
      ],
      ...Object.entries({
        NGHTTP2_NO_ERROR: status.INTERNAL,
        NGHTTP2_PROTOCOL_ERROR: status.INTERNAL,
        NGHTTP2_INTERNAL_ERROR: status.INTERNAL,
        NGHTTP2_REFUSED_STREAM: status.UNAVAILABLE,
        NGHTTP2_CANCEL: status.CANCELLED,
        NGHTTP2_ENHANCE_YOUR_CALM: status.RESOURCE_EXHAUSTED,
        NGHTTP2_INADEQUATE_SECURITY: status.PERMISSION_DENIED,
      }).map(([name, code]): [string, (stream: ServerHttp2Stream) => void, status, RegExp] => [
        `a reset by ${name}`,
        (stream) => stream.close(constants[name as "NGHTTP2_CANCEL"]),
        code,
        /./u,
      ]),
      [
        "a reset behind headers and half a message",
        (stream) => {
          // Without trailers to wait for, node:http2 may end a stream in place of its reset.
          stream.respond(ANSWER, { waitForTrailers: true });
          stream.write(framed(REQUEST).subarray(0, 8), () => stream.close(constants.NGHTTP2_REFUSED_STREAM));
        },
        status.UNAVAILABLE,
        /refused/u,
      ],
      [
        "the end of the connection",
        (stream) => stream.session?.destroy(),
        status.UNAVAILABLE,
        /Connection dropped|ECONNRESET/u,
      ],
      [
        "a GOAWAY that says why",
        (stream) => stream.session?.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM),
        status.UNAVAILABLE,
        /./u,
      ],
    ])("%s fails the call as gRPC says, and the next call succeeds", async (_, misbehave, code, details) => {
      server.handle = misbehave;
      const connection = server.connect();
      const error = await errorOf(call(connection));
      expect(status[error.code]).toBe(status[code]);
      expect(error.details).toMatch(details);
      expect(error.message).toBe(`${code} ${status[code]}: ${error.details}`);
      expect(connection.calls).toBe(0);
      server.handle = (stream) => answer(stream, framed(REQUEST));
      expect(await call(connection)).toEqual(REQUEST);
    });

    test("an error has the metadata of its trailers, without gRPC's own", async () => {
      server.handle = (stream) =>
        answerAtOnce(stream, { "grpc-status": "3", "grpc-message": "no", "details-bin": "AP8=", reason: "r" });
      const { metadata } = await errorOf(call(server.connect()));
      expect(metadata.get("details-bin")).toEqual([Buffer.from([0, 255])]);
      expect(metadata.get("reason")).toEqual(["r"]);
      expect(metadata.get("grpc-status")).toEqual([]);
      expect(metadata.get("grpc-message")).toEqual([]);
    });

    test("an answer before the end of the request counts", async () => {
      expect(await call(server.connect(), {}, Buffer.alloc(1_000_000))).toEqual(REQUEST);
    });
  });

  describe("a message that is too long", () => {
    test("is not sent", async () => {
      const connection = server.connect(undefined, { "grpc.max_send_message_length": 6 });
      const { code, details } = await errorOf(call(connection));
      expect(code).toBe(status.RESOURCE_EXHAUSTED);
      expect(details).toContain("7 bytes, where 6 are allowed");
      expect(server.sessions).toEqual([]);
    });

    test.each([
      [{ "grpc.max_receive_message_length": 7 }, 7, 8],
      [{}, 4_194_304, 4_194_305],
    ])("by %o is not read", async (options, most, tooMany) => {
      const connection = server.connect(undefined, options);
      server.handle = (stream) => answer(stream, framed(Buffer.alloc(most)));
      expect(await call(connection)).toHaveLength(most);
      // Its length is enough to know.
      server.handle = (stream) => answer(stream, framed(Buffer.alloc(tooMany)).subarray(0, 5));
      const { code, details } = await errorOf(call(connection));
      expect(code).toBe(status.RESOURCE_EXHAUSTED);
      expect(details).toContain(`${tooMany} bytes, where ${most} are allowed`);
    });
  });
});
