import { inspect } from "node:util";
import { setDefaultCACertificates, getCACertificates } from "node:tls";
import { once } from "node:events";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { status } from "@grpc/grpc-js";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Backend } from "../../../src/backend/backend.js";
import { resolveConnection } from "../../../src/backend/connection-string.js";
import { openBackend, type OpenOptions } from "../../../src/backend/open-backend.js";
import { FanoutError, UsageError } from "../../../src/errors.js";
import { SDK_VERSION } from "../../../src/version.js";
import { startWorkerHost } from "../../../src/worker/worker-host.js";
import { TestAuthority, type Identity } from "../../support/backend/certificates.js";
import { SchedulerServer } from "../../support/backend/scheduler-server.js";

const SECRET = "eyJhbGciOiJub25lIn0.eyJzZWNyZXQiOjF9.c2lnbmF0dXJl";
const HOUR_MS = 3_600_000;
const trusted = getCACertificates("default");
const TRANSPORTS = ["http2", "grpc-js"] as const;

let authority: TestAuthority;
let localhost: Identity;
let server: SchedulerServer;
let backend: Backend;
let transport: (typeof TRANSPORTS)[number];
/** Of the credential, which numbers its tokens: how often it was asked, and what it waits for before it answers. */
let fetches: number;
let beforeToken: Promise<void>;
let lastToken: string | undefined;

const credentialFor: NonNullable<OpenOptions["credentialFor"]> = () =>
  Promise.resolve({
    getToken: async () => {
      fetches += 1;
      await beforeToken;
      lastToken = `${SECRET}${fetches}`;
      return { token: lastToken, expiresOnTimestamp: Date.now() + HOUR_MS };
    },
  });

async function open(connectionString: string): Promise<Backend> {
  backend = await openBackend(resolveConnection({ flag: connectionString, env: {} }), { credentialFor, transport });
  return backend;
}

function openServer(): Promise<Backend> {
  return open(`Endpoint=https://localhost:${server.port};Authentication=AzureCli;TaskHub=hub-1`);
}

async function errorOf(call: Promise<unknown>): Promise<Error> {
  const error = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(FanoutError);
  return error as Error;
}

beforeAll(async () => {
  authority = await TestAuthority.create();
  localhost = await authority.issue();
});

afterAll(() => authority.close());

beforeEach(async () => {
  fetches = 0;
  beforeToken = Promise.resolve();
  lastToken = undefined;
  setDefaultCACertificates([...trusted, await authority.certificate()]);
  server = await SchedulerServer.start(localhost);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  backend.close();
  server.close();
  setDefaultCACertificates(trusted);
});

describe.each(TRANSPORTS)("by %s", (each) => {
  beforeAll(() => {
    transport = each;
  });

  describe("over TLS with a credential", () => {
    test("each call of a client carries the hub, who calls, and the token", async () => {
      const { client } = await openServer();
      await client.startInstance({ instanceId: "i", name: "n", input: 1 });
      await client.getInstance("i");
      expect(server.calls.map(({ method }) => method)).toEqual(["StartInstance", "GetInstance"]);
      for (const { metadata } of server.calls) {
        expect(metadata.getMap()).toMatchObject({
          taskhub: "hub-1",
          "x-user-agent": `durabletask-js/${SDK_VERSION} (DurableTaskClient)`,
          authorization: `Bearer ${SECRET}1`,
        });
        expect(metadata.get("workerid")).toEqual([]);
      }
    });

    test("each call of a worker carries its name as well, the stream of work items included", async () => {
      const connected = Promise.withResolvers<void>();
      const host = startWorkerHost({
        backend: await openServer(),
        workerId: "worker-1",
        onEvent: (event) => void (event.type === "connected" && connected.resolve()),
        drainPatienceMs: 100,
      });
      await connected.promise;
      await expect.poll(() => server.calls.map(({ method }) => method)).toEqual(["Hello", "GetWorkItems"]);
      for (const { metadata } of server.calls) {
        expect(metadata.getMap()).toMatchObject({
          taskhub: "hub-1",
          "x-user-agent": `durabletask-js/${SDK_VERSION} (DurableTaskWorker)`,
          workerid: "worker-1",
          authorization: `Bearer ${SECRET}1`,
        });
      }
      await host.drain();
    });

    test("1,000 calls at once need one token", async () => {
      const { client } = await openServer();
      await Promise.all(Array.from({ length: 1_000 }, (_, n) => client.getInstance(`i-${n}`)));
      expect(server.calls).toHaveLength(1_000);
      expect(fetches).toBe(1);
    });

    test("1,000 calls five minutes before it expires need one more, and go on with the old one until it is there", async () => {
      vi.useFakeTimers({ toFake: ["Date"] });
      const { client } = await openServer();
      await client.getInstance("first");
      vi.setSystemTime(Date.now() + HOUR_MS - 5 * 60_000);
      const next = Promise.withResolvers<void>();
      beforeToken = next.promise;
      await Promise.all(Array.from({ length: 1_000 }, (_, n) => client.getInstance(`i-${n}`)));
      expect(fetches).toBe(2);
      next.resolve();
      await expect.poll(() => lastToken).toBe(`${SECRET}2`);
      await client.getInstance("last");
      const tokens = server.sent("authorization").map(([value]) => value);
      expect(tokens).toHaveLength(1_002);
      expect(new Set(tokens.slice(0, -1))).toEqual(new Set([`Bearer ${SECRET}1`]));
      expect(tokens.at(-1)).toBe(`Bearer ${SECRET}2`);
    });

    test("without a credential no authorization is sent", async () => {
      const { client } = await open(`Endpoint=https://localhost:${server.port};Authentication=None`);
      await client.getInstance("i");
      expect(server.sent("authorization")).toEqual([[]]);
    });

    test("a credential is refused over http before anything is sent", () => {
      const flag = `Endpoint=http://localhost:${server.port};Authentication=AzureCli`;
      expect(() => resolveConnection({ flag, env: {} })).toThrow(UsageError);
      expect(fetches).toBe(0);
    });
  });

  describe("a backend that is away", () => {
    test("is called ten times, with a pause in between, and then given up", async () => {
      server.refuse = () => ({ code: status.UNAVAILABLE, details: "busy" });
      const { client } = await openServer();
      const startedMs = performance.now();
      const { message } = await errorOf(client.getInstance("i"));
      expect(performance.now() - startedMs).toBeGreaterThan(9 * 50);
      expect(server.calls).toHaveLength(10);
      expect(message).toContain("busy (10 attempts)");
      expect(client.rpcErrors).toEqual({ GetInstance: { UNAVAILABLE: 10 } });
    });

    test("is found again between two calls when it returns", async () => {
      server.refuse = () => (server.calls.length < 4 ? { code: status.UNAVAILABLE, details: "busy" } : undefined);
      const { client } = await openServer();
      await client.getInstance("i");
      expect(server.calls).toHaveLength(4);
    });
  });

  describe("a backend that refuses", () => {
    test.each<[string, status, string, RegExp]>([
      ["the token", status.UNAUTHENTICATED, `bad token ${SECRET}`, /refused the token of Authentication=AzureCli/u],
      ["the identity", status.PERMISSION_DENIED, SECRET, /"Durable Task Data Contributor"/u],
      ["the hub", status.NOT_FOUND, `Task hub 'hub-1' does not exist. ${SECRET}`, /no task hub hub-1/u],
      ["the hub's name", status.INVALID_ARGUMENT, "the taskhub is malformed", /--task-hub/u],
    ])("%s is asked once, and what to do is told without the token", async (_, code, details, expected) => {
      server.refuse = () => ({ code, details });
      const { client } = await openServer();
      const { message } = await errorOf(client.getInstance("i"));
      expect(message).toMatch(expected);
      expect(message).not.toContain(SECRET);
      expect(server.calls).toHaveLength(1);
    });

    test.each([status.INTERNAL, status.UNIMPLEMENTED, status.NOT_FOUND, status.UNKNOWN, status.DATA_LOSS])(
      "with the status %i and the headers that it was sent shows no token",
      async (code) => {
        server.refuse = () => ({ code, details: `unknown header "Bearer ${SECRET}", sorry` });
        const { client } = await openServer();
        const error: unknown = await client.queryInstances({ instanceIdPrefix: "i" }).catch((error: unknown) => error);
        expect(error).toBeInstanceOf(Error);
        expect(inspect(error, { depth: 5 })).not.toContain(SECRET);
      },
    );

    test("with NOT_FOUND for an instance means that there is no such instance", async () => {
      server.refuse = () => ({ code: status.NOT_FOUND, details: "no such instance" });
      const { client } = await openServer();
      expect(await client.getInstance("i")).toBeUndefined();
      expect(await client.waitForCompletion("i")).toBeUndefined();
    });

    test("with an error that fanout cannot explain has the error passed on unchanged", async () => {
      server.refuse = () => ({ code: status.NOT_FOUND, details: "no such instance" });
      const { client } = await openServer();
      await expect(client.queryInstances({})).rejects.toMatchObject({ code: status.NOT_FOUND });
    });
  });

  describe("a TLS connection that cannot be trusted", () => {
    beforeEach(() => {
      // The shortest pauses between attempts.
      vi.spyOn(Math, "random").mockReturnValue(0);
    });

    afterEach(() => {
      vi.restoreAllMocks();
    });

    test("is not made even with NODE_TLS_REJECT_UNAUTHORIZED=0", async () => {
      setDefaultCACertificates(trusted);
      vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
      const { client } = await openServer();
      await errorOf(client.getInstance("i"));
      expect(server.calls).toEqual([]);
    });

    test("because of its name is not made, and no token is sent", async () => {
      server.close();
      server = await SchedulerServer.start(await authority.issue("scheduler.example"));
      const { client } = await openServer();
      const { message } = await errorOf(client.getInstance("i"));
      expect(message).toMatch(/certificate is for another name than Endpoint=https:\/\/localhost:\d+ says/u);
      expect(server.calls).toEqual([]);
    });

    test("because of its date is not made, and no token is sent", async () => {
      server.close();
      server = await SchedulerServer.start(await authority.issue("localhost", undefined, -1));
      const { client } = await openServer();
      const { message } = await errorOf(client.getInstance("i"));
      expect(message).toContain("certificate has expired (10 attempts). Its TLS certificate is not valid today");
      expect(server.calls).toEqual([]);
    });

    test("because it is no HTTP/2 is not made, and the message says so", async () => {
      server.close();
      const requests: unknown[] = [];
      const web = createHttpsServer(
        { key: localhost.key, cert: localhost.certificate, ALPNProtocols: ["http/1.1"] },
        (request) => requests.push(request),
      ).listen(0, "localhost");
      await once(web, "listening");
      const { client } = await open(
        `Endpoint=https://localhost:${(web.address() as AddressInfo).port};Authentication=None`,
      );
      const { message } = await errorOf(client.getInstance("i"));
      expect(message).toMatch(/no application protocol .*There is TLS at Endpoint=\S+, but no HTTP\/2: check/u);
      expect(requests).toEqual([]);
      web.close();
    });

    test("because of its authority is not made, and the message says how to trust it", async () => {
      setDefaultCACertificates(trusted);
      const { client } = await openServer();
      const { message } = await errorOf(client.getInstance("i"));
      expect(message).toContain("NODE_EXTRA_CA_CERTS");
      expect(server.calls).toEqual([]);
    });

    test("because there is no TLS is not made, and the message says so", async () => {
      server.close();
      server = await SchedulerServer.start();
      const { client } = await openServer();
      const { message } = await errorOf(client.getInstance("i"));
      expect(message).toMatch(/wrong version number .*There is no TLS at/u);
      expect(server.calls).toEqual([]);
    });
  });

  test("the error for a name that does not resolve says so", async () => {
    const { client } = await open("Endpoint=https://nobody.invalid;Authentication=None");
    expect((await errorOf(client.getInstance("i"))).message).toContain("does not resolve");
  });

  test("the error of a failed credential names the next step, and nothing is sent", async () => {
    const connection = resolveConnection({
      flag: `Endpoint=https://localhost:${server.port};Authentication=AzureCli`,
      env: {},
    });
    backend = await openBackend(connection, {
      transport,
      credentialFor: () => Promise.reject(Object.assign(new Error(SECRET), { name: "CredentialUnavailableError" })),
    });
    const { message } = await errorOf(backend.client.getInstance("i"));
    expect(message).toContain("az login");
    expect(message).not.toContain(SECRET);
    expect(server.calls).toEqual([]);
  });
});
