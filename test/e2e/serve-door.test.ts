import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { request, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { json } from "node:stream/consumers";
import { expect, test } from "vitest";
import type { FanoutProcess } from "../support/e2e/fanout-process.js";
import { Workplace } from "../support/e2e/workplace.js";

const LISTENING = /^Orchestration API on http:\/\/[\d.]+:(\d+),/mu;
const START = "/api/orchestrations";
const KEY = "correct-horse-battery";

interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Answer {
  readonly status: number | undefined;
  readonly allow: string | undefined;
  readonly retryAfter: string | undefined;
  readonly body: unknown;
}

/** By Node's own client, which sends the Host that it is given. */
async function ask(port: string, path: string, { method = "GET", headers = {}, body }: Sent = {}): Promise<Answer> {
  const sent = request({ host: "127.0.0.1", port, path, method, headers, agent: false }).end(body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return {
    status: response.statusCode,
    allow: response.headers.allow,
    retryAfter: response.headers["retry-after"],
    body: method === "HEAD" ? undefined : await json(response),
  };
}

/** The first line of the answer to these bytes. */
async function statusLineOf(port: string, bytes: string): Promise<string> {
  const socket = connect(Number(port), "127.0.0.1");
  socket.write(bytes);
  const [chunk] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return String(chunk).split("\r\n", 1)[0] ?? "";
}

function posted(body: string, headers: Readonly<Record<string, string>> = {}): Sent {
  return { method: "POST", headers: { "content-type": "application/json", ...headers }, body };
}

const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);

test("a request with a wrong depth, method or Host gets an error that names it, and starts nothing", async () => {
  const place = await Workplace.open();
  const serve = place.start("serve --port 0 --host 0.0.0.0 --insecure --allowed-host Fanout.load.svc");
  const [, port = ""] = await serve.says(LISTENING);
  await serve.says(/^Connected to/mu);

  for (const [path, body] of [
    [START, `{"iterations":${nested(5_000)}}`],
    [START, `{"iterations":1,"x":"]","y":${nested(200)}}`],
    [`${START}/status`, nested(5_000)],
    [`${START}/status`, "[".repeat(500_000)],
  ] as const) {
    expect(await ask(port, path, posted(body))).toMatchObject({
      status: 400,
      body: { message: "The body: expected at most 100 objects and arrays within each other, found more." },
    });
  }
  // What is nested less is looked at, and brackets in a string are none.
  const shallow = await ask(port, START, posted(`{"iterations":${nested(90)}}`));
  expect(shallow).toMatchObject({ status: 400, body: { field: "iterations" } });
  expect(await ask(port, `${START}/status`, posted(`["${"[".repeat(60)}","${"[".repeat(61)}\\""]`))).toMatchObject({
    status: 200,
  });

  for (const [method, path, status, allow] of [
    ["DELETE", START, 405, "POST"],
    ["GET", START, 405, "POST"],
    ["QUERY", START, 405, "POST"],
    ["PUT", `${START}/some-id`, 405, "GET, HEAD"],
    ["DELETE", `${START}/status`, 405, "GET, HEAD, POST"],
    ["POST", "/healthz", 405, "GET, HEAD"],
    ["POST", "/openapi.json", 405, "GET, HEAD"],
    ["POST", "/nothing", 404, undefined],
    ["QUERY", "/nothing", 404, undefined],
  ] as const)
    expect({ method, path, ...(await ask(port, path, { method })) }).toMatchObject({ method, path, status, allow });

  for (const [headers, status] of [
    [{ host: "fanout.load.svc" }, 400],
    [{ host: "FANOUT.LOAD.SVC:8080", origin: "https://FANOUT.LOAD.SVC:8080" }, 400],
    [{ host: "fanout.load.svc", origin: "https://evil.example" }, 403],
    [{ host: "other.load.svc" }, 403],
    [{ host: "x.fanout.load.svc" }, 403],
  ] as const) {
    // A body that is refused behind the door.
    expect({ headers, ...(await ask(port, START, posted("[]", headers))) }).toMatchObject({ headers, status });
  }
  const twoHosts = "GET /status HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n";
  expect(await statusLineOf(port, twoHosts)).toBe("HTTP/1.1 400 Bad Request");

  expect((await place.runningEmulator()).instances).toBe(0);
  const document = (await ask(port, "/openapi.json")).body as { paths: Record<string, { post?: unknown }> };
  expect(JSON.stringify(document.paths[START]?.post)).toContain("iterations x parallelActivities is at most 20,000");
});

test("with a key, a request with any Host is accepted, but only with the key", async () => {
  const place = await Workplace.open();
  const serve = place.startWith({ ...place.env, FANOUT_API_KEY: KEY }, "serve --port 0 --host 0.0.0.0");
  const [, port = ""] = await serve.says(LISTENING);
  const headers = { host: "fanout.load.svc.cluster.local", origin: "https://fanout.example" };
  expect((await ask(port, "/healthz", { headers })).status).toBe(200);
  expect((await ask(port, START, posted("[]", headers))).status).toBe(401);
  expect((await ask(port, START, posted("[]", { ...headers, "x-api-key": KEY }))).status).toBe(400);
  const twoHosts = `GET /status HTTP/1.1\r\nHost: a\r\nhost: a\r\nx-api-key: ${KEY}\r\n\r\n`;
  expect(await statusLineOf(port, twoHosts)).toBe("HTTP/1.1 400 Bad Request");
});

async function statusOf(port: string, path: string, headers: Readonly<Record<string, string>>): Promise<unknown> {
  const sent = request({ host: "127.0.0.1", port, path, headers, agent: false }).end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  sent.on("error", () => {});
  sent.destroy();
  return response.statusCode;
}

/** As browsers say it of a request that a page of another site makes. */
const OTHER_SITE = { "sec-fetch-site": "cross-site" };
const LINK = { ...OTHER_SITE, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
const OTHERS: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["image", { ...OTHER_SITE, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" }],
  [
    "script of the same machine",
    { "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script" },
  ],
  ["frame", { ...LINK, "sec-fetch-dest": "iframe" }],
  ["prefetch", { ...LINK, "sec-purpose": "prefetch" }],
];
const OURS: typeof OTHERS = [
  ["curl", {}],
  ["script of ours", { "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" }],
  ["bookmark", { ...LINK, "sec-fetch-site": "none" }],
];

test("a page of another site makes a browser read nothing that costs the backend, but a link leads to a page", async () => {
  const place = await Workplace.open();
  await place.succeed("run --run-id nightly --iterations 1 --parallel-activities 1");
  const [, port = ""] = await place.start("serve --port 0").says(LISTENING);
  await expect.poll(() => statusOf(port, "/readyz", {})).toBe(200);
  const started = await ask(port, "/api/v1/runs", posted('{"iterations":1,"activityDuration":"10m"}'));
  const { runId } = started.body as { runId: string };
  const instance = "nightly-00000-000";
  for (const [path, ofLink] of [
    [`${START}/${instance}`, 403],
    ["/api/v1/hub/runs/nightly/instances", 403],
    [`/api/v1/runs/${runId}/events`, 403],
    ["/api/v1/runs", 200],
    [`/timelines/${instance}`, 200],
    ["/readyz", 200],
    ["/", 200],
  ] as const) {
    const cases = [
      ...OTHERS.map((who) => [...who, 403] as const),
      ...OURS.map((who) => [...who, 200] as const),
      ["link", LINK, ofLink] as const,
    ];
    for (const [who, headers, status] of cases)
      expect({ path, who, status: await statusOf(port, path, headers) }).toEqual({ path, who, status });
  }
});

test("the status of a worker has no other methods, and no second Host", async () => {
  const place = await Workplace.open();
  const worker = place.start("worker --port 0");
  const [, port = ""] = await worker.says(/^Status on http:\/\/127\.0\.0\.1:(\d+)\/status/mu);
  for (const method of ["POST", "QUERY", "OPTIONS"])
    expect(await ask(port, "/health", { method })).toMatchObject({ status: 405, allow: "GET, HEAD" });

  expect(await statusLineOf(port, "GET /status HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /u);
});

test.each([
  ["report deep.json", "deep.json: "],
  ["compare deep.json deep.json", "deep.json: "],
  ["run --orchestrator Order --input @deep.json", "--input: expected JSON in deep.json: "],
])("%s refuses a file that nests too deeply, and names it", async (line, where) => {
  const place = await Workplace.open();
  await writeFile(`${place.folder}/deep.json`, `{"a":${nested(5_000)}}`);
  const { code, stderr } = await place.run(line);
  const message = `error: ${where}expected at most 100 objects and arrays within each other, found more\n`;
  expect({ code, stderr }).toEqual({ code: 2, stderr: message });
});

test("starts beyond --max-pending are refused until some have ended, also after a restart", async () => {
  const place = await Workplace.open();
  const open = async (): Promise<{ readonly serve: FanoutProcess; readonly port: string }> => {
    const serve = place.start("serve --port 0 --max-pending 30");
    const [, port = ""] = await serve.says(LISTENING);
    return { serve, port };
  };
  const start = (port: string, count: number): Promise<Answer> =>
    ask(port, START, posted(`{"iterations":1,"parallelOrchestrations":${count}}`));

  const first = await open();
  expect(await start(first.port, 31)).toMatchObject({
    status: 400,
    body: { field: "parallelOrchestrations", message: expect.stringContaining("at most 30 (--max-pending), found 31") },
  });
  // Together they would not fit: as many get in as do.
  const answers = await Promise.all(Array.from({ length: 5 }, () => start(first.port, 10)));
  expect(answers.map(({ status }) => status).toSorted((a = 0, b = 0) => a - b)).toEqual([202, 202, 202, 429, 429]);
  expect((await place.runningEmulator()).inFlight).toBe(30);
  expect(await start(first.port, 1)).toMatchObject({
    status: 429,
    retryAfter: "5",
    body: { message: expect.stringContaining("The task hub has 30 orchestrations that have not ended; 1 more") },
  });
  first.serve.kill("SIGTERM");
  await first.serve.ended;

  const second = await open();
  expect((await start(second.port, 1)).status).toBe(429);
  const worker = place.start("worker --port 0");
  await worker.says(/^Connected to/mu);
  await expect.poll(async () => (await start(second.port, 30)).status, { interval: 200 }).toBe(202);
  const document = (await ask(second.port, "/openapi.json")).body;
  expect(JSON.stringify(document)).toContain(
    "The task hub may have at most 30 unfinished orchestrations of fanout (--max-pending)",
  );
});
