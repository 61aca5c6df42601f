import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:http2";
import { createConnection, type Socket } from "node:net";
import { Client, Metadata, credentials, status } from "@grpc/grpc-js";
import { describe, expect, onTestFinished, test } from "vitest";
import { unaryCall } from "../../src/backend/unary-call.js";
import { ADMIN_SERVICE } from "../../src/protocol/admin.js";
import { MOST_CONNECTIONS } from "../../src/emulator/limits/limits.js";
import { LINK_PREFACE } from "../../src/protocol/link.js";
import { RawConnection } from "../support/emulator/raw-connection.js";
import { FANOUT, Workplace } from "../support/e2e/workplace.js";

const HTTP2_PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** A frame that says its payload has 300 bytes, and has none of them. */
const LINK_HALF_OPEN = Buffer.concat([LINK_PREFACE, Buffer.from([0, 0, 1, 49, 1, 0, 0, 0, 0])]);

interface Door {
  readonly place: Workplace;
  readonly port: number;
}

async function openDoor(place: Workplace, flags = ""): Promise<Door> {
  const emulator = place.start(`emulator --port 0 ${flags}`.trim());
  const [, port] = await emulator.says(/^listening for any .* on http:\/\/127\.0\.0\.1:(\d+);/mu);
  await emulator.says(/Ctrl-C stops\./u);
  return { place, port: Number(port) };
}

function connection(address: string): RawConnection {
  const raw = new RawConnection(address, "default");
  onTestFinished(() => raw.close());
  return raw;
}

async function askAdmin(address: string, method: string): Promise<unknown> {
  const client = new Client(address, credentials.createInsecure());
  onTestFinished(() => client.close());
  const answer = await unaryCall(client, `/${ADMIN_SERVICE}/${method}`, Buffer.from("{}"), new Metadata(), {});
  return JSON.parse(answer.toString()) as unknown;
}

function healthRequest(service: string): Buffer {
  return service === "" ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, service.length]), Buffer.from(service)]);
}

function askHealth(address: string, service: string): Promise<Buffer> {
  const client = new Client(address, credentials.createInsecure());
  onTestFinished(() => client.close());
  return unaryCall(client, "/grpc.health.v1.Health/Check", healthRequest(service), new Metadata(), {});
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}

/** The first status that a watch tells. */
async function watchHealth(address: string, service: string): Promise<Buffer> {
  const client = new Client(address, credentials.createInsecure());
  onTestFinished(() => client.close());
  const stream = client.makeServerStreamRequest("/grpc.health.v1.Health/Watch", asIs, asIs, healthRequest(service));
  stream.on("error", () => {});
  const [first] = (await once(stream, "data")) as [Buffer];
  stream.cancel();
  return first;
}

/** Connections that say this and nothing else. */
async function idlers(to: number | string, count: number, words: Buffer): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => {
    const socket = typeof to === "number" ? createConnection(to, "127.0.0.1") : createConnection(to);
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => {}).resume();
    if (words.length > 0) socket.write(words);
    return socket;
  });
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  return sockets;
}

/** A session over HTTP/2 that says nothing after its greeting. */
async function greeted(socket: string): Promise<void> {
  const session = connect("http://emulator", { createConnection: () => createConnection(socket) });
  onTestFinished(() => session.destroy());
  session.on("error", () => {});
  await once(session, "remoteSettings");
}

/** How many connections the kernel lets wait to be accepted; a burst beyond it is refused whatever the emulator asks. */
function longestBacklog(): number {
  return process.platform === "linux" ? Number(readFileSync("/proc/sys/net/core/somaxconn", "utf8")) : 128;
}

function isClosed(socket: Socket): Promise<unknown> {
  return socket.closed ? Promise.resolve() : once(socket, "close");
}

describe("the port", () => {
  test("offers neither the admin service nor the link, which only the owner's socket has", async () => {
    const { place, port } = await openDoor(await Workplace.open());
    for (const method of ["Status", "Watch", "DrainWorker", "Stop"])
      await expect(askAdmin(`127.0.0.1:${port}`, method)).rejects.toMatchObject({ code: status.UNIMPLEMENTED });

    expect(await askAdmin(`unix:${place.socket}`, "Status")).toMatchObject({ folder: place.stateFolder });

    const greeting = Buffer.from(JSON.stringify({ taskHub: "default", workerId: "w" }));
    const open = Buffer.from([0, 0, 0, 5 + greeting.length, 1, 0, 0, 0, 0]);
    const take = Buffer.from([0, 0, 0, 5, 4, 0, 0, 0, 1]);
    const words = Buffer.concat([LINK_PREFACE, open, greeting, take]);
    const [onSocket] = await idlers(place.socket, 1, words);
    await once(onSocket!, "data");
    const [onPort] = await idlers(port, 1, words);
    onPort!.on("data", () => expect.fail("The port answers the link."));
    await isClosed(onPort!);
  });

  test("answers probes over gRPC and HTTP/1, and shows a browser that it is an emulator", async () => {
    const { place, port } = await openDoor(await Workplace.open());
    const url = `http://127.0.0.1:${port}`;
    const healthy = await fetch(`${url}/healthz?verbose=1`);
    expect([healthy.status, await healthy.json()]).toEqual([200, { status: "Healthy" }]);
    expect((await fetch(`${url}/healthz`, { method: "HEAD" })).status).toBe(200);
    const posted = await fetch(`${url}/healthz`, { method: "POST", body: "x" });
    expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    for (const method of ["GET", "POST", "PUT", "OPTIONS"]) {
      const lost = await fetch(`${url}/api/orchestrations`, { method });
      expect([lost.status, await lost.text()]).toEqual([404, expect.stringMatching(/gRPC port.*\n.*\/healthz/u)]);
    }
    // "P" begins the preface of HTTP/2 as well, and what comes byte by byte is no less a request.
    const slow = createConnection(port, "127.0.0.1");
    onTestFinished(() => void slow.destroy());
    let answer = "";
    slow.setEncoding("latin1").on("data", (text: string) => (answer += text));
    for (const byte of Buffer.from("PATCH / HTTP/1.1\r\nHost: x\r\n\r\n"))
      await new Promise((resolve) => slow.write(Buffer.from([byte]), resolve));

    await isClosed(slow);
    expect(answer).toMatch(/^HTTP\/1\.1 404 /u);
    // What is neither, and HTTP/1 on the owner's socket, is closed without a word.
    for (const to of [port, place.socket]) {
      const [stranger] = await idlers(to, 1, Buffer.from(to === port ? [0x16, 3, 1] : "GET / HTTP/1.1\r\n\r\n"));
      await isClosed(stranger!);
    }

    for (const address of [`127.0.0.1:${port}`, `unix:${place.socket}`]) {
      const SERVING = Buffer.from([8, 1]);
      for (const service of ["", "TaskHubSidecarService"]) {
        expect(await askHealth(address, service)).toEqual(SERVING);
        expect(await watchHealth(address, service)).toEqual(SERVING);
      }
      await expect(askHealth(address, "Other")).rejects.toMatchObject({ code: status.NOT_FOUND });
      expect(await watchHealth(address, "Other")).toEqual(Buffer.from([8, 3]));
    }
  });

  test("full of idle connections closes them within seconds, and the socket stays reachable", async () => {
    const { place, port } = await openDoor(await Workplace.open());
    const busy = connection(`127.0.0.1:${port}`);
    await busy.start("first");
    const speaking = connect(`http://127.0.0.1:${port}`);
    onTestFinished(() => speaking.destroy());
    await once(speaking, "remoteSettings");
    const words = [Buffer.alloc(0), HTTP2_PREFACE.subarray(0, 10), HTTP2_PREFACE];
    const idle = (await Promise.all(words.map((said) => idlers(port, 350, said)))).flat();
    const onSocket = (
      await Promise.all(
        [Buffer.alloc(0), LINK_PREFACE.subarray(0, 5), LINK_PREFACE, LINK_HALF_OPEN].map((said) =>
          idlers(place.socket, 2, said),
        ),
      )
    ).flat();
    await expect(connection(`127.0.0.1:${port}`).start("late")).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: expect.stringContaining("1000 connections") as string,
    });
    expect((await place.runningEmulator()).connections).toBeGreaterThan(1_000);
    await connection(`unix:${place.socket}`).start("by the owner");

    await Promise.all([...idle, ...onSocket].map(isClosed));
    // Those that have said who they are stay, and there is room again.
    expect(speaking.closed).toBe(false);
    await busy.start("second");
    await connection(`127.0.0.1:${port}`).start("third");
  });

  test("leaves file descriptors for the owner if the process may open few", async () => {
    const place = await Workplace.open();
    const emulator = place.startProgram("sh", [
      "-c",
      `ulimit -n 256; exec '${process.execPath}' '${FANOUT}' emulator --port 0`,
    ]);
    const [, port] = await emulator.says(/^listening for any .* on http:\/\/127\.0\.0\.1:(\d+);/mu);
    await emulator.says(/Ctrl-C stops\./u);
    await idlers(Number(port), 400, Buffer.alloc(0));
    await connection(`unix:${place.socket}`).start("by the owner");
    expect((await place.succeed("emulator stop")).stdout).toMatch(/^stopped/u);
  });
});

describe("the owner's socket", () => {
  test("accepts a burst up to its limit, and beyond it still answers status and stop", async () => {
    const { place } = await openDoor(await Workplace.open());
    const burst = Math.min(MOST_CONNECTIONS, longestBacklog());
    for (let open = 0; open < MOST_CONNECTIONS; open += burst)
      await Promise.all(Array.from({ length: burst }, () => greeted(place.socket)));

    await expect(connection(`unix:${place.socket}`).start("late")).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
    });
    expect((await place.runningEmulator()).connections).toBeGreaterThan(1_000);
    expect((await place.succeed("emulator stop")).stdout).toMatch(/^stopped/u);
  });
});
