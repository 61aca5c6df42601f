import { connect, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from "node:http2";
import { createConnection, type Socket } from "node:net";

const REQUEST = { ":method": "POST", "content-type": "application/grpc", te: "trailers" };

/** What came back to a call: its headers, trailers included, and the bytes of its messages with their prefixes. */
export interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** How many DATA frames the body came in. */
  readonly frames: number;
}

/** A client on node:http2 alone: it does what a test says, also what no good client does. */
export class GrpcTestClient {
  readonly socket: Socket;
  readonly session: ClientHttp2Session;

  constructor(port: number) {
    this.socket = createConnection(port, "127.0.0.1");
    // Headers of any size leave, and any number of calls, as from grpc-js.
    const options = {
      createConnection: () => this.socket,
      maxSendHeaderBlockLength: 2 ** 24,
      maxSessionMemory: Number.MAX_SAFE_INTEGER,
    };
    this.session = connect("http://localhost", options);
    this.session.on("error", () => {});
  }

  /** A call whose request is still to be written. */
  request(path: string, headers: Readonly<Record<string, string>> = {}, endStream = false): ClientHttp2Stream {
    const stream = this.session.request({ ...REQUEST, ":path": path, ...headers }, { endStream });
    stream.on("error", () => {});
    return stream;
  }

  /** Resolves with the answer to a request of those bytes. */
  call(path: string, body: Buffer = framedText(""), headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const stream = this.request(path, headers);
    stream.end(body);
    return answerOf(stream);
  }

  close(): void {
    this.session.destroy();
  }
}

export async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  const headers: IncomingHttpHeaders = {};
  const chunks: Buffer[] = [];
  stream.on("response", (received) => Object.assign(headers, received));
  stream.on("trailers", (received) => Object.assign(headers, received));
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => stream.once("close", resolve));
  return { headers, body: Buffer.concat(chunks), frames: chunks.length };
}

/** A message as gRPC has it on a stream, made by the specification. */
export function framedText(text: string, compressed = false): Buffer {
  const message = Buffer.from(text);
  const prefix = Buffer.alloc(5);
  prefix[0] = compressed ? 1 : 0;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** The messages of a body that has them whole. */
export function textsOf(body: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at < body.length; at += 5 + body.readUInt32BE(at + 1))
    texts.push(body.toString("utf8", at + 5, at + 5 + body.readUInt32BE(at + 1)));

  return texts;
}
