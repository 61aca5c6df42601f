import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { SERVER_NAME } from "../../../protocol/server-name.js";

export const RESPONSE_HEADERS: OutgoingHttpHeaders = {
  ":status": constants.HTTP_STATUS_OK,
  "content-type": "application/grpc",
  "grpc-accept-encoding": "identity",
  server: SERVER_NAME,
};

/** Of a message, encoded: it may name an id of any length, and clients drop a connection whose headers are too large. */
const MOST_ENCODED = 45_000;
/** Bytes that one character may become. */
const MOST_OF_A_CHARACTER = 9;

const NOTHING_FOLLOWS = { endStream: true, sendDate: false };

/** Answers a call with its status alone. */
export function respondAtOnce(stream: ServerHttp2Stream, status: OutgoingHttpHeaders): void {
  stream.respond({ ...RESPONSE_HEADERS, ...status }, NOTHING_FOLLOWS);
  if (!stream.readableEnded) {
    // The rest of the request is not needed.
    stream.close(constants.NGHTTP2_NO_ERROR);
  }
}

/** The headers that end a call: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export function statusHeaders(code: number, message: string): Readonly<Record<string, string>> {
  return message === ""
    ? { "grpc-status": String(code) }
    : { "grpc-status": String(code), "grpc-message": shortEncoded(message) };
}

function shortEncoded(message: string): string {
  const encoded = percentEncoded(message);
  return encoded.length <= MOST_ENCODED
    ? encoded
    : percentEncoded(`${message.slice(0, MOST_ENCODED / MOST_OF_A_CHARACTER)}...`);
}

/** Headers hold printable ASCII alone; all else goes as the percent-encoded bytes of its UTF-8. */
function percentEncoded(message: string): string {
  return message.toWellFormed().replaceAll(/[^ -$&-~]+/gu, encodeURIComponent);
}
