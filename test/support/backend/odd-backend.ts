import { once } from "node:events";
import { createServer, type Http2Server, type OutgoingHttpHeaders, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** How one call is answered: with these headers alone, or with a body and trailers behind them. */
export interface OddAnswer {
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  readonly trailers?: OutgoingHttpHeaders;
}

/** A server of HTTP/2 without TLS that is not what fanout looks for. It is closed when the test has ended. */
export class OddBackend {
  /** The paths that were called, in order. */
  readonly called: string[] = [];
  readonly #sessions = new Set<ServerHttp2Session>();

  private constructor(
    readonly server: Http2Server,
    answer: (path: string) => OddAnswer,
  ) {
    server.on("session", (session) => this.#sessions.add(session));
    server.on("stream", (stream, headers) => {
      const path = headers[":path"] ?? "";
      this.called.push(path);
      stream.on("error", () => {});
      const { headers: answered, body, trailers } = answer(path);
      if (trailers !== undefined) stream.once("wantTrailers", () => stream.sendTrailers(trailers));
      stream.respond(answered, { endStream: body === undefined, waitForTrailers: trailers !== undefined });
      if (body !== undefined) stream.end(body);
    });
  }

  static async start(answer: (path: string) => OddAnswer): Promise<OddBackend> {
    const server = createServer().listen(0, "127.0.0.1");
    const backend = new OddBackend(server, answer);
    await once(server, "listening");
    onTestFinished(() => backend.close());
    return backend;
  }

  get connectionString(): string {
    const { port } = this.server.address() as AddressInfo;
    return `Endpoint=http://127.0.0.1:${port};Authentication=None`;
  }

  close(): void {
    for (const session of this.#sessions) session.destroy();
    this.server.close();
  }
}

/** All but printable ASCII, as gRPC does. */
function percentEncoded(text: string): string {
  const bytes = Buffer.from(text).toString("latin1");
  return bytes.replaceAll(/[^\x20-\x24\x26-\x7E]/gu, (byte) => `%${Buffer.from(byte, "latin1").toString("hex")}`);
}

/** An empty message. */
export const GRPC_EMPTY: OddAnswer = {
  headers: { ":status": 200, "content-type": "application/grpc" },
  body: "\0".repeat(5),
  trailers: { "grpc-status": "0" },
};

/** A call that fails, without a message before it. */
export function grpcFailure(code: number, message: string): OddAnswer {
  return {
    headers: {
      ":status": 200,
      "content-type": "application/grpc",
      "grpc-status": String(code),
      "grpc-message": percentEncoded(message),
    },
  };
}
