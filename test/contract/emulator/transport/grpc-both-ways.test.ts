import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { Metadata } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { channelOptions } from "../../../../src/backend/channel-options.js";
import { Http2Connection } from "../../../../src/backend/http2-connection.js";
import { MACHINE_TIME } from "../../../../src/emulator/clock/machine-time.js";
import { serveGrpc } from "../../../../src/emulator/transport/grpc/connection.js";
import { handlersOf, unary, type Call } from "../../../../src/emulator/service/call.js";

const LARGE_BYTES = 3 * 1024 * 1024;
const MESSAGES = 30;
const CALLS = 80;
const ROUNDS = 4;

let folder: string;
let socket: string;
let server: Server;
let connection: Http2Connection;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "fanout-grpc-"));
  socket = path.join(folder, "socket");
  const handlers = handlersOf({
    Test: { Take: unary((_call, answer) => answer(undefined, Buffer.alloc(0))), Pour: pour },
  });
  server = createServer((accepted) => serveGrpc(accepted, handlers, { clock: MACHINE_TIME }));
  server.listen(socket);
  await once(server, "listening");
  connection = new Http2Connection({ address: `unix:${socket}`, isSecure: false, options: channelOptions("emulator") });
});

afterEach(() => {
  connection.close();
  server.close();
  rmSync(folder, { recursive: true });
});

/** Writes large messages for as long as the client takes them. */
function pour(call: Call): void {
  let left = MESSAGES;
  const more = (): void => {
    while (left > 0) {
      left -= 1;
      if (!call.write(Buffer.alloc(LARGE_BYTES))) return;
    }
    call.end();
  };
  call.onDrain = more;
  more();
}

// node:http2 does not read while it waits for a write: two ends whose writes are larger than what the sockets between
// them hold would wait for each other. A server that lets its clients have no more than that on the way is never in it.
test("large messages in both directions at once get through", async () => {
  let received = 0;
  const poured = new Promise<Error | undefined>((resolve) => {
    const receiver = { onMessage: (message: Buffer) => (received += message.length), onEnd: resolve };
    connection.stream("/Test/Pour", Buffer.alloc(0), new Metadata(), receiver);
  });
  for (let round = 0; round < ROUNDS; round += 1) {
    const call = () => connection.call("/Test/Take", Buffer.alloc(256 * 1024), new Metadata());
    await Promise.all(Array.from({ length: CALLS }, call));
  }
  expect(await poured).toBeUndefined();
  expect(received).toBe(MESSAGES * LARGE_BYTES);
});
