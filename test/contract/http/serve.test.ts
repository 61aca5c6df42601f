import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { ERROR_CODES } from "../../../src/errors.js";
import { parseFanOutFanInOutput } from "../../../src/orchestrations/fan-out-fan-in-contract.js";
import { startWorkerHost, type WorkerHost } from "../../../src/worker/worker-host.js";
import { JSON_HEADERS, ServePlace, TcpEmulator, type Asking } from "../../support/http/serve-place.js";

const START = "/api/orchestrations";
const STATUS = "/api/orchestrations/status";
const UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/u;

const started = z.strictObject({ count: z.int(), instanceIds: z.array(z.string()) });
const instance = z.strictObject({
  id: z.string(),
  status: z.string(),
  created: z.string().regex(UTC),
  lastUpdated: z.string().regex(UTC),
  output: z.string().nullable(),
});
const many = z.strictObject({
  totalRequested: z.int(),
  foundInstances: z.int(),
  instances: z.array(instance),
});
const error = z.strictObject({
  error: z.string(),
  code: z.enum(Object.keys(ERROR_CODES)),
  message: z.string().min(1),
  hint: z.string().min(1).optional(),
  field: z.string().optional(),
});

let emulator: TcpEmulator;
let place: ServePlace;

beforeAll(async () => {
  emulator = await TcpEmulator.start();
  place = await ServePlace.open(emulator.port);
});

afterAll(async () => {
  await place.close();
  emulator.close();
});

function ended(id: string): Promise<z.output<typeof instance>> {
  return vi.waitFor(async () => {
    const state = instance.parse((await place.ask(`${START}/${id}`)).body);
    expect(["Pending", "Running"]).not.toContain(state.status);
    return state;
  }, 20_000);
}

describe("the contract", () => {
  let worker: WorkerHost;

  beforeAll(async () => {
    worker = startWorkerHost({ backend: await place.link.open(), onEvent: () => {} });
  });

  afterAll(() => worker.drain());

  test("a start is accepted, runs, and is read one by one and together", async () => {
    const start = await place.post(START, { iterations: 2, parallelActivities: 3, parallelOrchestrations: 4 });
    expect(start).toMatchObject({ status: 202, headers: { location: STATUS } });
    const { count, instanceIds } = started.parse(start.body);
    expect([count, new Set(instanceIds).size]).toEqual([4, 4]);
    expect(instanceIds.every((id, number) => id.endsWith(`-00000-00${number}`))).toBe(true);
    for (const id of instanceIds) {
      const state = await ended(id);
      expect(state).toMatchObject({ id, status: "Completed" });
      const { totalActivities, results } = parseFanOutFanInOutput(state.output ?? "");
      expect([totalActivities, results?.length]).toEqual([6, 6]);
    }
    const { totalRequested, foundInstances, instances } = many.parse(
      (await place.post(STATUS, [...instanceIds, "nobody"])).body,
    );
    expect([totalRequested, foundInstances]).toEqual([5, 4]);
    expect(instances.map(({ id }) => id)).toEqual(instanceIds);
  });

  test.each<[string, Asking]>([
    ["no body", { method: "POST" }],
    ["an empty body", { method: "POST", headers: JSON_HEADERS, body: "" }],
    ["an empty object", { method: "POST", headers: JSON_HEADERS, body: "{}" }],
    ["a charset", { method: "POST", headers: { "content-type": "application/json; charset=UTF-8" }, body: "{}" }],
    ["keys in another letter case", { method: "POST", headers: JSON_HEADERS, body: '{"ITERATIONS":10}' }],
  ])("a start with %s has the defaults", async (_, asking) => {
    const answer = await place.ask(START, asking);
    expect(answer.status).toBe(202);
    const [id = ""] = started.parse(answer.body).instanceIds;
    expect(parseFanOutFanInOutput((await ended(id)).output ?? "").totalActivities).toBe(50);
  });

  test("an instance that does not exist is not found", async () => {
    const answer = await place.ask(`${START}/nobody`);
    expect(answer.status).toBe(404);
    expect(error.parse(answer.body)).toMatchObject({ code: "not-found", field: "id" });
  });

  test("an error has the next step in a field of its own", async () => {
    const { body } = await place.ask("/api/nothing");
    expect(error.parse(body)).toMatchObject({
      message: "There is no GET /api/nothing.",
      hint: "/docs lists all calls.",
    });
  });

  test.each([
    ["/status", { status: "Running", service: "Orchestration Service", time: expect.stringMatching(UTC) }],
    ["/healthz", { status: "Healthy" }],
    ["/readyz", { status: "Ready" }],
  ])("%s reports the state of the service", async (target, body) => {
    expect(await place.ask(target)).toMatchObject({ status: 200, body });
  });

  test("the page and its document load everything from this server", async () => {
    const page = await place.ask("/docs/");
    expect(page).toMatchObject({ status: 200, headers: { "content-type": "text/html; charset=utf-8" } });
    expect(page.text).toContain("<title>fanout: HTTP API</title>");
    const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/gu)].map(([, asset = ""]) => asset);
    expect(assets.length).toBeGreaterThan(4);
    for (const asset of assets) {
      expect(asset).toMatch(/^\.\/static\//u);
      expect(await place.ask(`/docs/${asset.slice(2)}`)).toMatchObject({ status: 200 });
    }
    const [, logo = ""] = /'data:image\/svg\+xml;base64,([^']+)'/u.exec(
      (await place.ask("/docs/static/swagger-initializer.js")).text,
    )!;
    expect(Buffer.from(logo, "base64").toString()).toMatch(/>fanout<\/text><\/svg>$/u);
    expect((await place.ask("/openapi.json")).body).toMatchObject({ openapi: "3.1.0", paths: { [START]: {} } });
  });
});

/** A POST of this text, as JSON unless told otherwise. */
function json(body: string, headers: Readonly<Record<string, string>> = JSON_HEADERS): Asking {
  return { method: "POST", headers, body };
}

function value(body: unknown): Asking {
  return json(JSON.stringify(body));
}

describe("a wrong request starts nothing", () => {
  const big = `{"iterations":1${" ".repeat(1_048_576)}}`;

  test.each<[string, Asking, number, string | undefined, string?]>([
    ["a fraction", value({ iterations: 1.5 }), 400, "iterations"],
    ["zero", value({ parallelActivities: 0 }), 400, "parallelActivities"],
    ["a negative number", value({ parallelOrchestrations: -1 }), 400, "parallelOrchestrations"],
    ["a string", value({ iterations: "10" }), 400, "iterations"],
    ["null in a field", value({ iterations: null }), 400, "iterations"],
    ["a boolean", value({ iterations: true }), 400, "iterations"],
    ["beyond what a number holds", json('{"iterations":1e400}'), 400, "iterations"],
    ["the field in another letter case", value({ Iterations: 0 }), 400, "iterations"],
    ["a field twice", json('{"iterations":1,"ITERATIONS":2}'), 400, "iterations"],
    ["an unknown field", value({ iterations: 1, colour: "red" }), 400, "colour"],
    ["a field of the prototype", json('{"__proto__":{"iterations":1}}'), 400, "__proto__"],
    ["malformed JSON", json('{"iterations":'), 400, undefined],
    ["bytes that are no UTF-8", { method: "POST", headers: JSON_HEADERS, body: Buffer.from([0xff]) }, 400, undefined],
    ["null", json("null"), 400, undefined],
    ["an array", json("[]"), 400, undefined],
    ["a number", json("7"), 400, undefined],
    ["10,001 orchestrations", value({ parallelOrchestrations: 10_001 }), 400, "parallelOrchestrations"],
    ["20,001 activities", value({ iterations: 20_001, parallelActivities: 1 }), 400, "iterations"],
    ["200 x 101 activities", value({ iterations: 200, parallelActivities: 101 }), 400, "parallelActivities"],
    ["no content type", json("{}", {}), 415, undefined],
    ["text", json("{}", { "content-type": "text/plain" }), 415, undefined],
    ["a form", json("iterations=1", { "content-type": "application/x-www-form-urlencoded" }), 415, undefined],
    ["another charset", json("{}", { "content-type": "application/json; charset=utf-16" }), 415, undefined],
    ["compression", json("{}", { ...JSON_HEADERS, "content-encoding": "gzip" }), 415, undefined],
    ["more than 1 MiB", json(big), 413, undefined],
    ["an object for ids", value({}), 400, undefined, STATUS],
    ["no ids at all", { method: "POST" }, 400, undefined, STATUS],
    ["a number among ids", value(["a", 1]), 400, "1", STATUS],
    ["an empty id", value([""]), 400, "0", STATUS],
    ["1,001 ids", value(Array.from({ length: 1_001 }, () => "a")), 400, undefined, STATUS],
    ["another method", { method: "DELETE" }, 405, undefined],
    ["another path", value({}), 404, undefined, "/api/nothing"],
    ["a path that cannot be read", {}, 400, undefined, `${START}/%zz`],
    ["an id that is too long", {}, 414, undefined, `${START}/${"x".repeat(3_000)}`],
  ])("%s", async (_, asking, status, field, target = START) => {
    const before = emulator.instances;
    const answer = await place.ask(target, asking);
    expect(answer).toMatchObject({ status });
    expect(error.parse(answer.body).field).toBe(field);
    expect(emulator.instances).toBe(before);
    expect(place.defects).toEqual([]);
  });

  // Starts up to their limit: serve-limits.long.ts.
  test("requests up to the limits of ids and of activities are accepted", async () => {
    const ids = Array.from({ length: 1_000 }, () => "nobody");
    expect(await place.post(STATUS, ids)).toMatchObject({ status: 200, body: { totalRequested: 1_000 } });
    expect((await place.post(START, { iterations: 100, parallelActivities: 200 })).status).toBe(202);
  });
});

describe("a page of another origin", () => {
  test.each<[string, Readonly<Record<string, string>>, number]>([
    ["names another host", { host: "evil.example" }, 403],
    ["names another host and our port", { host: "evil.example:PORT" }, 403],
    ["names our host and another port", { host: "127.0.0.1:1" }, 403],
    ["names a host that ends like ours", { host: "evil-localhost:PORT" }, 403],
    ["names an address in other words", { host: "127.1:PORT" }, 403],
    ["tells its origin", { origin: "http://evil.example" }, 403],
    ["is of another port", { origin: "http://127.0.0.1:1" }, 403],
    ["is of no origin that can be told", { origin: "null" }, 403],
    ["is our own", { origin: "http://127.0.0.1:PORT" }, 202],
    ["is our own, by name", { host: "localhost:PORT", origin: "http://localhost:PORT" }, 202],
    ["is none", {}, 202],
    ["is none, by IPv6", { host: "[::1]:PORT" }, 202],
    ["is none, in capitals and without a port", { host: "LOCALHOST" }, 202],
  ])("that %s", async (_, headers, status) => {
    const sent = Object.entries(headers).map(([name, text]) => [name, text.replace("PORT", String(place.port))]);
    const before = emulator.instances;
    const answer = await place.post(START, {}, Object.fromEntries(sent) as Record<string, string>);
    expect(answer).toMatchObject({ status });
    expect(emulator.instances - before).toBe(status === 202 ? 1 : 0);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  test("cannot read under another Host either, and gets no CORS permission", async () => {
    expect((await place.ask("/status", { headers: { host: "evil.example" } })).status).toBe(403);
    expect((await place.ask("/docs/", { headers: { host: "evil.example" } })).status).toBe(403);
    const headers = { origin: "http://evil.example", "access-control-request-method": "POST" };
    expect((await place.ask(START, { method: "OPTIONS", headers })).status).toBe(403);
  });

  test("on all interfaces any address is accepted as Host, but no foreign name", async () => {
    const open = await ServePlace.open(emulator.port, { host: "0.0.0.0" });
    try {
      for (const [host, status] of [
        ["192.0.2.7:8080", 200],
        ["[2001:db8::1]", 200],
        ["localhost:1", 200],
        ["evil.example", 403],
      ] as const)
        expect({ host, ...(await open.ask("/status", { headers: { host } })) }).toMatchObject({ host, status });
    } finally {
      await open.close();
    }
  });
});

describe("with a key", () => {
  const apiKey = "correct-horse-battery";
  let locked: ServePlace;

  beforeAll(async () => {
    locked = await ServePlace.open(emulator.port, { apiKey });
  });
  afterAll(() => locked.close());

  test.each<[string, Readonly<Record<string, string>>, boolean]>([
    ["none", {}, false],
    ["another", { "x-api-key": "correct-horse-batter" }, false],
    ["an empty one", { "x-api-key": "" }, false],
    ["another as a token", { authorization: "Bearer wrong" }, false],
    ["the right one in another scheme", { authorization: `Basic ${apiKey}` }, false],
    ["the right one", { "x-api-key": apiKey }, true],
    ["the right one as a token", { authorization: `bearer ${apiKey}` }, true],
  ])("%s is accepted only with the key", async (_, headers, allowed) => {
    const answers = await Promise.all([
      locked.post(START, {}, headers),
      locked.post(STATUS, [], headers),
      locked.ask(`${START}/nobody`, { headers }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(allowed ? [202, 200, 404] : [401, 401, 401]);
    for (const answer of answers) expect(answer.text).not.toContain(apiKey);
    if (!allowed) expect(answers[0]?.headers["www-authenticate"]).toBe("Bearer");
  });

  test.each(["/status", "/healthz", "/readyz", "/docs/", "/openapi.json"])("%s needs none", async (target) => {
    expect((await locked.ask(target)).status).toBe(200);
  });
});
