import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { ERROR_CODES } from "../../../src/errors.js";
import { BrokenBackend } from "../../support/http/broken-backend.js";
import { freePort } from "../../support/backend/free-port.js";
import { JSON_HEADERS, ServePlace, TcpEmulator } from "../../support/http/serve-place.js";

const START = "/api/orchestrations";
const STATUS = "/api/orchestrations/status";
const partial = z.strictObject({
  error: z.string(),
  code: z.enum(Object.keys(ERROR_CODES)),
  message: z.string(),
  hint: z.string().optional(),
  count: z.int(),
  instanceIds: z.array(z.string()),
});

describe("a backend that fails", () => {
  let backend: BrokenBackend;
  let place: ServePlace;

  beforeEach(async () => {
    backend = await BrokenBackend.start();
    place = await ServePlace.open(backend.port);
  });

  afterEach(async () => {
    await place.close();
    backend.close();
  });

  test("midway through the starts has exactly the started ids in the answer", async () => {
    backend.refuse = (sequence) => (sequence === 120 ? status.INTERNAL : undefined);
    const answer = await place.post(START, { parallelOrchestrations: 1_000 });
    expect(answer.status).toBe(500);
    const { code, count, instanceIds, message } = partial.parse(answer.body);
    expect(code).toBe("backend-failed");
    expect(instanceIds).toEqual(backend.started.toSorted());
    expect(count).toBe(instanceIds.length);
    // Those that were under way came to their end, and no more left.
    expect(count).toBeGreaterThanOrEqual(120);
    expect(count).toBeLessThan(120 + 50 + 50);
    expect(message).toMatch(/^\d+ of 1,000 orchestrations were started\. .*: refused s/u);
    // It is the backend's, not ours.
    expect(place.defects).toEqual([]);
  });

  test("like an unreachable one is answered with 503 and Retry-After", async () => {
    backend.refuse = (sequence) => (sequence >= 3 ? status.RESOURCE_EXHAUSTED : undefined);
    const answer = await place.post(START, { parallelOrchestrations: 10 });
    expect(answer).toMatchObject({ status: 503, headers: { "retry-after": "5" } });
    expect(partial.parse(answer.body).instanceIds).toEqual(backend.started.toSorted());
    expect(place.defects).toEqual([]);
  });

  test("by not answering has the request given up in bounded time", async () => {
    backend.refuse = (sequence) => (sequence === 1 ? "never" : undefined);
    const startMs = performance.now();
    const answer = await place.post(START, { parallelOrchestrations: 2 });
    expect(performance.now() - startMs).toBeLessThan(15_000);
    expect(answer.status).toBe(503);
    expect(partial.parse(answer.body).count).toBe(1);
  });

  test("never sees more than 50 starts at a time, of all requests together", async () => {
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => place.post(START, { parallelOrchestrations: 100 })),
    );
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202]);
    expect(new Set(backend.started).size).toBe(500);
    expect(backend.mostOutstanding).toBe(50);
  });

  test("and cannot list pending instances is asked about the started ones", async () => {
    const bounded = await ServePlace.open(backend.port, { maxPending: 5 });
    try {
      // None of this backend's ends.
      expect((await bounded.post(START, { parallelOrchestrations: 5 })).status).toBe(202);
      expect((await bounded.post(START, {})).status).toBe(429);
      expect(backend.started.length).toBe(5);
      // Until they are gone, which means as much.
      backend.started.splice(1);
      await expect.poll(async () => (await bounded.post(START, {})).status).toBe(202);
    } finally {
      await bounded.close();
    }
  });

  test("and has no calls but two is enough", async () => {
    const { instanceIds } = partial.partial().parse((await place.post(START, {})).body);
    const id = instanceIds?.[0] ?? "";
    expect((await place.ask(`${START}/${id}`)).body).toMatchObject({ id, status: "Running" });
    expect((await place.ask("/readyz")).status).toBe(200);
  });

  test("by NOT_FOUND means that there is no such instance", async () => {
    backend.getStatus = status.NOT_FOUND;
    expect((await place.ask(`${START}/nobody`)).status).toBe(404);
    expect((await place.post(STATUS, ["a"])).body).toMatchObject({ foundInstances: 0 });
    expect((await place.ask("/readyz")).status).toBe(200);
  });

  test("is not ready, whatever error it answers with", async () => {
    backend.getStatus = status.PERMISSION_DENIED;
    expect(await place.ask("/readyz")).toMatchObject({ status: 503, headers: { "retry-after": "5" } });
  });

  test("is not ready while it does not answer, which is no bug of the server", async () => {
    backend.getStatus = "never";
    expect(await place.ask("/readyz")).toMatchObject({
      status: 503,
      body: { code: "backend-timeout", message: "Not ready. The backend has not answered for 2 s." },
    });
    expect(place.defects).toEqual([]);
  });

  test("with an answer of many megabytes sends it as it comes", async () => {
    backend.output = JSON.stringify("x".repeat(1_300_000));
    const { instanceIds = [] } = partial.partial().parse((await place.post(START, { parallelOrchestrations: 7 })).body);
    const answer = await place.post(STATUS, instanceIds);
    expect(answer.headers).toMatchObject({
      "content-type": "application/json; charset=utf-8",
      "transfer-encoding": "chunked",
    });
    expect(answer.body).toMatchObject({ foundInstances: 7, totalRequested: 7 });
  });
});

test("an unavailable backend is reported in every answer, and used again when it is back", async () => {
  const emulator = await TcpEmulator.start();
  emulator.stop();
  const place = await ServePlace.open(emulator.port);
  try {
    const away = await Promise.all([
      place.ask("/readyz"),
      place.ask("/healthz"),
      place.post(START, {}),
      place.ask(`${START}/a`),
      place.post(STATUS, ["a"]),
    ]);
    expect(away.map(({ status }) => status)).toEqual([503, 200, 503, 503, 503]);
    for (const { status, headers } of away) if (status === 503) expect(headers["retry-after"]).toBe("5");
    await emulator.open();
    await expect.poll(async () => (await place.ask("/readyz")).status).toBe(200);
    expect((await place.post(START, {})).status).toBe(202);
    expect(place.defects).toEqual([]);
  } finally {
    await place.close();
    emulator.close();
  }
});

test("a wrong request gets its error even while the backend is unavailable", async () => {
  const place = await ServePlace.open(await freePort());
  try {
    const asking = { method: "POST", headers: JSON_HEADERS, body: '{"iterations":0}' };
    expect((await place.ask(START, asking)).status).toBe(400);
  } finally {
    await place.close();
  }
});
