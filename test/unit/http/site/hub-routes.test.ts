import { fastify } from "fastify";
import { serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { OrchestrationClient } from "../../../../src/backend/orchestration-client.js";
import { httpErrorOf } from "../../../../src/http/http-error.js";
import { addHubRuns } from "../../../../src/http/site/hub-routes.js";
import { instanceIdOf } from "../../../../src/plan/run-id.js";
import { stateOf } from "../../../support/hub/states.js";
import { fakeBackend, fakeClient } from "../../../support/load/fake-backend.js";

async function routesOf(client: Partial<OrchestrationClient>) {
  const app = fastify();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, _request, reply) => {
    const { statusCode, headers, body } = httpErrorOf(error);
    return reply.code(statusCode).headers(headers).send(body);
  });
  addHubRuns(app, () => Promise.resolve(fakeBackend({ client: fakeClient(client) })), {});
  return {
    search: () => app.inject({ method: "POST", url: "/api/v1/hub/runs/search" }),
    instances: () => app.inject("/api/v1/hub/runs/nightly/instances"),
  };
}

/** Searches a hub of more pages than anybody reads, each of which takes its time. */
async function searched({ pageMs, pageSize }: { readonly pageMs: number; readonly pageSize: number }) {
  let pages = 0;
  const state = stateOf(0, { instanceId: instanceIdOf("nightly", 0), createdMs: Date.now() });
  const { search } = await routesOf({
    queryInstances: async () => {
      pages += 1;
      await vi.advanceTimersByTimeAsync(pageMs);
      return { instances: Array.from({ length: pageSize }, () => state), continuationToken: "more" };
    },
  });
  const { statusCode, body } = await search();
  return { statusCode, body: JSON.parse(body) as unknown, pages };
}

describe("a search of the task hub", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  test.each([
    ["after 8 s", { pageMs: 3_000, pageSize: 1 }, 3],
    ["after 100,000 instances", { pageMs: 1, pageSize: 60_000 }, 2],
    ["after 8 s, though the pages together take longer than the patience for one", { pageMs: 7_000, pageSize: 1 }, 2],
  ])("is cut %s, and answers what it has found", async (_, hub, pages) => {
    expect(await searched(hub)).toEqual({
      statusCode: 200,
      body: { runs: [expect.objectContaining({ runId: "nightly" })], more: true },
      pages,
    });
  });

  test("fails where the backend does not answer", async () => {
    expect(await searched({ pageMs: 11_000, pageSize: 1 })).toMatchObject({
      statusCode: 503,
      body: { message: expect.stringContaining("The backend has not answered for 10 s.") },
    });
  });

  test("waits for its turn, with the whole patience after it, and is told of the others if they take too long", async () => {
    const { search, instances } = await routesOf({
      queryInstances: () =>
        new Promise((resolve) => {
          setTimeout(() => resolve({ instances: [], continuationToken: undefined }), 9_000);
        }),
    });
    const asked = [search(), instances(), search(), search(), search(), instances()];
    const answers = Promise.all(asked);
    // Those that come first, those after them, and the patience of the last ones.
    await vi.advanceTimersByTimeAsync(9_000);
    await vi.advanceTimersByTimeAsync(9_000);
    const statuses = (await answers).map(({ statusCode }) => statusCode);
    expect(statuses).toEqual([200, 200, 200, 200, 429, 429]);
    const refused = await asked[4]!;
    expect(refused.headers["retry-after"]).toBe("5");
    expect(JSON.parse(refused.body)).toMatchObject({
      code: "too-many-reads",
      message: "Other searches of the task hub are under way, and the server makes 2 at a time.",
    });
  });
});
