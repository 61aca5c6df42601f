import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { z } from "zod";
import { ERROR_CODES, FanoutError, type ErrorCode } from "../errors.js";
import { endIdOf } from "../live/live-hub.js";
import type { PlanKey } from "../plan/plan-file-keys.js";
import type { Billing } from "../plan/spend-guard.js";
import type { ReadPlan } from "../runs/planned-run.js";
import type { ListedRun } from "../runs/listed-run.js";
import type { ServedRuns } from "../runs/served-runs.js";
import type { Door } from "./door/door.js";
import { HttpError } from "./http-error.js";
import { idempotencyKeyOf } from "./idempotency-key.js";
import { followHub } from "./live-events.js";
import { PROBLEM_PREFIX, PROBLEM_TYPE, Problem, refusalOf, wrongPlanOf } from "./problem.js";
import { resultTextOf, runOf } from "./run-of.js";
import * as contract from "./run-schemas.js";

/** What the routes of runs need. */
export interface RunsApi {
  readonly runs: ServedRuns;
  /** What a start takes. */
  readonly keys: readonly PlanKey[];
  readonly readPlan: ReadPlan;
  /** Whether the backend may bill actions. Rejects with a FanoutError while it does not answer. */
  readonly billing: () => Promise<Billing>;
}

const PATH = `${PROBLEM_PREFIX}runs`;
const MOST_VIEWERS = 100;

/** The run API: load tests over HTTP. */
export function addRuns(app: FastifyInstance, api: RunsApi, door: Door): void {
  app.get<{ Params: { code: string } }>(
    `${PROBLEM_PREFIX}problems/:code`,
    { schema: { hide: true } },
    async ({ params: { code } }) => {
      if (!Object.hasOwn(ERROR_CODES, code)) throw new HttpError(404, "There is no such kind of problem.");
      return { code, meaning: ERROR_CODES[code as ErrorCode] };
    },
  );
  void app.register(async (scope) => {
    scope.addHook("onRequest", door.api);
    addRunRoutes(scope, api, door);
  });
}

function addRunRoutes(app: FastifyInstance, { runs, keys, readPlan, billing }: RunsApi, door: Door): void {
  const withKey = door.lock !== undefined;
  const security = withKey ? { security: [{ apiKey: [] }, { bearer: [] }, { session: [] }] } : {};
  const common = { tags: ["Runs"], ...security };
  const problems = (...codes: readonly number[]) => problemAnswers(withKey ? [401, ...codes] : codes);
  const api = app.withTypeProvider<ZodTypeProvider>();
  api.post(
    PATH,
    {
      preValidation: objectBody,
      schema: {
        ...common,
        summary: "Start a run",
        description:
          "Starts a load test in a process of its own, and answers at once. A backend that may bill actions needs " +
          "`maxActions` in the plan. Beyond the limit of concurrent runs (--max-runs), it answers 429 with Retry-After.",
        headers: contract.StartHeaders,
        body: contract.planBody(keys),
        response: {
          201: contract.Run.describe("It was started, or was started before with the same Idempotency-Key."),
          ...problems(400, 403, 409, 413, 415, 422, 429, 500, 503),
        },
      },
      // The plan has its own reader, which names all that is wrong.
      validatorCompiler: () => (value: unknown) => ({ value }),
    },
    async ({ body, headers }, reply) => {
      const key = idempotencyKeyOf(headers["idempotency-key"]);
      const run = await started(body, key);
      return reply.code(201).header("location", `${PATH}/${run.runId}`).send(contract.runBody(run));
    },
  );

  async function started(body: Readonly<Record<string, unknown>>, key: string | undefined): Promise<ListedRun> {
    const start = runs.start({
      body,
      key,
      plan: () => orWrong(() => readPlan(body)),
      admit: async ({ guard, mostActions }) => {
        // Not within: a backend that cannot be used is no fault of the request.
        const found = await billing();
        orWrong(() => guard(found), mostActions);
      },
    });
    return start.catch((error: unknown) => {
      throw refusalOf(error);
    });
  }

  api.get(
    PATH,
    { schema: { ...common, summary: "List runs", response: { 200: contract.RunList, ...problems(403) } } },
    async () => ({ runs: runs.all.map(contract.runOfList) }),
  );

  api.get(
    `${PATH}/:runId`,
    {
      schema: {
        ...common,
        summary: "Get one run",
        params: contract.RunParams,
        response: { 200: contract.Run.describe("How far it is."), ...problems(403, 404) },
      },
    },
    async ({ params }) => contract.runBody(runOf(runs, params.runId)),
  );

  api.post(
    `${PATH}/:runId/cancel`,
    {
      schema: {
        ...common,
        summary: "Cancel a run",
        description:
          "Ends it as Ctrl-C ends `fanout run`: its orchestrations are terminated. A run that has ended stays.",
        params: contract.RunParams,
        response: { 202: contract.Run.describe("It ends, or has ended."), ...problems(403, 404) },
      },
    },
    async ({ params }, reply) => {
      const run = runOf(runs, params.runId);
      run.cancel();
      return reply.code(202).send(contract.runBody(run));
    },
  );

  api.get(
    `${PATH}/:runId/result`,
    {
      schema: {
        ...common,
        summary: "Get the result of a run",
        description: "Also of a cancelled one, as far as it came.",
        params: contract.RunParams,
        response: { 200: contract.Result, ...problems(403, 404, 409) },
      },
    },
    async ({ params }, reply) => {
      const { bytes, stream } = await resultTextOf(runOf(runs, params.runId));
      // The schema is only for the OpenAPI document.
      const answer: unknown = stream;
      return reply
        .type("application/json; charset=utf-8")
        .header("content-length", bytes)
        .send(answer as z.output<typeof contract.Result>);
    },
  );

  let viewers = 0;
  api.get(
    `${PATH}/:runId/events`,
    {
      // Fastify's own would read all events, and so be a viewer until the run ends.
      exposeHeadRoute: false,
      onRequest: door.costly,
      schema: {
        ...common,
        summary: "Follow a run",
        description:
          "Server-sent events: `update` once a second, as the page of the run reads them, and `ended` with the run. The first " +
          "update has the whole series, or with Last-Event-ID what has changed since. A viewer that has seen the end gets 204. " +
          "A viewer that takes nothing for ten seconds is dropped. One that came in with a session goes with it.",
        params: contract.RunParams,
        headers: contract.EventsHeaders,
        response: {
          200: { description: "The events.", content: { "text/event-stream": { schema: contract.EventStream } } },
          204: contract.Nothing,
          ...problems(403, 404, 429),
        },
      },
    },
    async (request, reply) => {
      const { params, headers } = request;
      const run = runOf(runs, params.runId);
      const lastId = headers["last-event-id"];
      // A browser connects again when a stream ends, unless it is told that there is no more.
      if (run.hasEnded && lastId === endIdOf(run.runId)) return reply.code(204).send();
      if (viewers >= MOST_VIEWERS)
        throw refusalOf(new FanoutError("too-many-viewers", `The server takes at most ${MOST_VIEWERS} viewers.`));
      viewers += 1;
      const session = door.sessionOf(request);
      const watched = await run.watch();
      followHub(watched.hub, reply, {
        lastId,
        session,
        onGone: () => {
          viewers -= 1;
          watched.viewersChanged();
        },
      });
      watched.viewersChanged();
      return reply;
    },
  );
}

/** The error answers, for the OpenAPI document. */
export function problemAnswers(
  codes: readonly number[],
): Record<number, { description: string; content: Record<string, { schema: z.ZodType }> }> {
  return Object.fromEntries(
    codes.map((code) => [
      code,
      { description: "A problem of RFC 9457.", content: { [PROBLEM_TYPE]: { schema: Problem } } },
    ]),
  );
}

function orWrong<T>(act: () => T, mostActions?: number): T {
  try {
    return act();
  } catch (error) {
    throw wrongPlanOf(error, mostActions);
  }
}

/** A missing body is an empty plan. */
export async function objectBody(request: FastifyRequest): Promise<void> {
  const body = request.body === undefined ? {} : request.body;
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw new HttpError(400, "Expected a JSON object as the body, found another value.");
  request.body = body;
}
