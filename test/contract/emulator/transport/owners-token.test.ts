import { once } from "node:events";
import { connect } from "node:net";
import { Client, Metadata, credentials, status } from "@grpc/grpc-js";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { unaryCall } from "../../../../src/backend/unary-call.js";
import { GREETING_PATIENCE_MS } from "../../../../src/emulator/limits/limits.js";
import { EMPTY_BYTES } from "../../../../src/protocol/empty-bytes.js";
import { FrameKind, LINK_PREFACE } from "../../../../src/protocol/link.js";
import { newToken } from "../../../../src/protocol/loopback-door.js";
import { LinkChannel } from "../../../../src/worker/link-channel.js";
import { ServedEmulator } from "../../../support/emulator/served-emulator.js";

let served: ServedEmulator;
let address: string;
const token = newToken();
const clients: { close(): void }[] = [];

beforeAll(async () => {
  served = await ServedEmulator.start();
  address = `127.0.0.1:${await served.emulator.listen({ token })}`;
});

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

afterAll(() => served.close());

const TOKENS: readonly { what: string; sent: string | undefined }[] = [
  { what: "no token", sent: undefined },
  { what: "an empty token", sent: "" },
  { what: "another token", sent: newToken() },
  { what: "part of the token", sent: token.slice(0, -1) },
];

function call(path: string, sent: string | undefined): Promise<Buffer> {
  const client = new Client(address, credentials.createInsecure());
  clients.push(client);
  const metadata = new Metadata();
  metadata.set("taskhub", "hub");
  if (sent !== undefined) metadata.set("fanout-token", sent);
  return unaryCall(client, path, EMPTY_BYTES, metadata, { deadline: Date.now() + 10_000 });
}

const HELLO = "/TaskHubSidecarService/Hello";
const PATHS = [HELLO, "/fanout.Emulator/Status", "/grpc.health.v1.Health/Check", "/no.such/Method"];

describe("a port of the owner", () => {
  test("answers calls with its token", async () => {
    await expect(call(HELLO, token)).resolves.toEqual(EMPTY_BYTES);
  });

  test.each(TOKENS.flatMap((each) => PATHS.map((path) => ({ ...each, path }))))(
    "answers $path with UNAUTHENTICATED to $what, and ends the connection",
    async ({ path, sent }) => {
      await expect(call(path, sent)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
      // Its client has closed too, so that nothing keeps the emulator from leaving.
      for (const client of clients.splice(0)) client.close();
      await expect.poll(() => served.emulator.status().connections).toBe(0);
    },
  );

  test("takes a worker's link with its token", async () => {
    const channel = new LinkChannel({ address, token }, { taskHub: "hub", workerId: "worker" });
    clients.push(channel);
    await expect(channel.call("Hello", EMPTY_BYTES, 10_000)).resolves.toBeUndefined();
  });

  test.each(TOKENS)("answers a worker's link with UNAUTHENTICATED to $what", async ({ sent }) => {
    const channel = new LinkChannel({ address, token: sent }, { taskHub: "hub", workerId: "worker" });
    clients.push(channel);
    await expect(channel.call("Hello", EMPTY_BYTES, 10_000)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
  });

  test("ends a connection that never shows a token", { timeout: 4 * GREETING_PATIENCE_MS }, async () => {
    const [host = "", port] = address.split(":");
    const socket = connect(Number(port), host);
    // HTTP/2 with empty settings, as a client begins.
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
    socket.on("error", () => {});
    socket.resume();
    await once(socket, "close");
    expect(socket.bytesRead).toBeGreaterThan(0);
  });

  test("takes no memory for a large frame of whoever has not shown the token", async () => {
    const [host = "", port] = address.split(":");
    const socket = connect(Number(port), host);
    const head = Buffer.alloc(9);
    head.writeUInt32BE(1_000_000, 0);
    head[4] = FrameKind.Call;
    socket.write(Buffer.concat([LINK_PREFACE, head]));
    socket.on("error", () => {});
    socket.resume();
    // Long before it would be closed for its silence.
    await once(socket, "close", { signal: AbortSignal.timeout(GREETING_PATIENCE_MS / 2) });
    expect(socket.bytesRead).toBe(0);
  });

  test("speaks nothing but gRPC and the link", async () => {
    const [host = "", port] = address.split(":");
    const socket = connect(Number(port), host);
    socket.write("GET /health HTTP/1.1\r\n\r\n");
    socket.on("error", () => {});
    socket.resume();
    await once(socket, "close");
    expect(socket.bytesRead).toBe(0);
  });
});
