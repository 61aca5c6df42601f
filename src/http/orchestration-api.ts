import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { serializerCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import type { z } from "zod";
import type { Backend } from "../backend/backend.js";
import type { OrchestrationClient } from "../backend/orchestration-client.js";
import { formatCount } from "../format/count.js";
import { SITE_STYLE_PATH } from "../report/site/site-page.js";
import { SITE_STYLE } from "../report/site/site-style.js";
import { serverStopping } from "../runs/served-runs.js";
import {
  refuseForeignPages,
  refuseOtherSites,
  refuseOtherSitesExceptLinks,
  refuseTwoHosts,
  requireKey,
} from "./access.js";
import { addApiDocumentation } from "./api-documentation.js";
import { CallSlots } from "./call-slots.js";
import { doorOf } from "./door/door.js";
import { addLogin } from "./door/login-routes.js";
import * as contract from "./request-schemas.js";
import { HttpError, defectOf, errorBody, httpErrorOf } from "./http-error.js";
import { addAsset, isPageView, sendErrorPage } from "./page-response.js";
import { PendingLimit } from "./pending-limit.js";
import { portOf } from "./port.js";
import { PROBLEM_PREFIX, PROBLEM_TYPE, problemOf } from "./problem.js";
import { readInstance, readInstances } from "./read-instances.js";
import type { Readiness } from "./readiness.js";
import { addRunPages } from "./run-pages.js";
import { addRuns, type RunsApi } from "./run-routes.js";
import { acceptJsonOnly, keysOf, zodValidator } from "./request-body.js";
import { addSite } from "./site/site.js";
import { ServiceMetrics } from "./service-metrics.js";
import { RunIds, startOrchestrations } from "./start-orchestrations.js";
import { refuseUnknownRoutes } from "./unknown-route.js";

/** The limit of concurrent calls on the backend over all requests, for starts and for reads. */
const CALLS = 50;
/** A request must arrive completely within this time. */
const REQUEST_TIMEOUT_MS = 60_000;
/** The practical limit of a URL. Ids of instances that others started have no known limit. */
const MAX_ID_LENGTH = 2_048;

export interface ApiOptions {
  /** The backend's client; rejects with a FanoutError while there is none. */
  readonly client: () => Promise<OrchestrationClient>;
  /** The same backend, for the pages; absent in a server without them. */
  readonly backend?: () => Promise<Backend>;
  readonly readiness: Readiness;
  /** The address that the server listens on. */
  readonly host: string;
  /** Without a key, everybody who reaches the server may use it, except a browser on a page of another origin. */
  readonly apiKey?: string | undefined;
  /** If there is no key: further names of this server, besides `host` and the loopback names. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** The limit of unfinished orchestrations of the workload on the task hub. */
  readonly maxPending: number;
  /** The runs that the server starts; absent in a server without them. */
  readonly runs?: RunsApi;
  /** Aborts when the server is to end: it then answers requests, and starts nothing more. */
  readonly stopping?: AbortSignal;
  /** Called with an error that neither the request nor the backend caused. */
  readonly onDefect: (error: unknown) => void;
}

type Api = FastifyInstance;

/** The orchestration API over HTTP, ready to listen. Its routes, names, defaults and codes are a contract. */
export async function orchestrationApi(options: ApiOptions): Promise<FastifyInstance> {
  const app: Api = Fastify({
    bodyLimit: contract.MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_ID_LENGTH },
    forceCloseConnections: "idle",
    frameworkErrors: (error, request, reply) => {
      answerError(error, request, reply, options.onDefect);
    },
  });
  app.setValidatorCompiler(zodValidator);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, request, reply) => {
    answerError(error, request, reply, options.onDefect);
  });
  app.addHook("onRequest", refuseTwoHosts);
  if (options.apiKey === undefined) {
    const port = (): number => portOf(app.server.address());
    app.addHook("onRequest", refuseForeignPages(options.host, port, options.allowedHosts));
  }
  refuseUnknownRoutes(app, "/docs lists all calls.");
  let closing = false;
  app.addHook("preClose", async () => {
    closing = true;
  });
  app.addHook("onSend", async (_request, reply) => {
    reply.header("x-content-type-options", "nosniff");
    // Otherwise the connection would stay open, and the server with it.
    if (closing) reply.header("connection", "close");
  });
  acceptJsonOnly(app);
  const metrics = new ServiceMetrics();
  metrics.measure(app);
  await addApiDocumentation(app, options.apiKey !== undefined);
  await app.register(async (scope) => addProbes(scope, options));
  await app.register(async (scope) => addOrchestrations(scope, options));
  await app.register(async (scope) => addMetrics(scope, metrics, options));
  const { runs } = options;
  const door = doorOf(options.apiKey);
  addAsset(app, SITE_STYLE_PATH, "text/css", SITE_STYLE);
  await app.register(async (scope) => addLogin(scope, door));
  if (runs !== undefined) {
    await app.register(async (scope) => addRuns(scope, runs, door));
    await app.register(async (scope) => addRunPages(scope, runs.runs, door));
    const { backend } = options;
    if (backend !== undefined) await app.register(async (scope) => addSite(scope, { runs, door, backend }));
  }
  await app.ready();
  return app;
}

function answerError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  onDefect: (error: unknown) => void,
): void {
  const answer = httpErrorOf(error);
  const defect = defectOf(answer);
  if (defect !== undefined) onDefect(defect);
  void reply.code(answer.statusCode).headers(answer.headers);
  if (request.url.startsWith(PROBLEM_PREFIX)) sendProblem(answer, reply);
  else if (isPageView(request)) void sendErrorPage(reply, answer);
  else void reply.send(answer.body);
}

/** As text: the serializer of the route takes what the schema of its first media type describes. */
function sendProblem(error: HttpError, reply: FastifyReply): void {
  void reply
    .type(PROBLEM_TYPE)
    .serializer(String)
    .send(JSON.stringify(problemOf(error)));
}

/** The error answers, for the OpenAPI document. */
function errors(...codes: readonly number[]): Record<number, z.ZodType> {
  return Object.fromEntries(
    codes.map((code) => [code, contract.ErrorBody.describe(errorBody(code, "").error)] as const),
  );
}

function addProbes(app: Api, { readiness, stopping, apiKey }: ApiOptions): void {
  const api = app.withTypeProvider<ZodTypeProvider>();
  const tags = ["Service"];
  api.get(
    "/status",
    { schema: { tags, summary: "Describe this service", response: { 200: contract.ServiceStatus, ...errors(403) } } },
    async () => ({
      status: "Running" as const,
      service: "Orchestration Service" as const,
      time: new Date().toISOString(),
    }),
  );
  api.get(
    "/healthz",
    { schema: { tags, summary: "Check that the server is alive", response: { 200: contract.Health, ...errors(403) } } },
    async () => ({ status: "Healthy" as const }),
  );
  api.get(
    "/readyz",
    {
      // It asks the backend.
      onRequest: async (request) => {
        if (apiKey === undefined) await refuseOtherSitesExceptLinks(request);
      },
      schema: {
        tags,
        summary: "Check that the backend answers",
        response: { 200: contract.Ready, ...errors(403, 503) },
      },
    },
    async () => {
      try {
        if (stopping?.aborted) throw serverStopping();
        await readiness.check();
      } catch (error) {
        const { code, problem, hint } = httpErrorOf(error);
        throw new HttpError(503, `Not ready. ${problem}`, { code, hint, cause: error });
      }
      return { status: "Ready" as const };
    },
  );
}

function addMetrics(app: Api, metrics: ServiceMetrics, { apiKey, runs }: ApiOptions): void {
  app.addHook("onRequest", apiKey === undefined ? refuseOtherSitesExceptLinks : requireKey(apiKey));
  if (runs !== undefined) metrics.follow(runs.runs);
  app.get("/metrics", { schema: { hide: true } }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  );
}

function addOrchestrations(app: Api, { client, apiKey, maxPending, runs, stopping }: ApiOptions): void {
  app.addHook("onRequest", apiKey === undefined ? refuseOtherSites : requireKey(apiKey));
  const security = apiKey === undefined ? {} : { security: [{ apiKey: [] }, { bearer: [] }] };
  const key = apiKey === undefined ? [] : [401];
  const tags = ["Orchestrations"];
  const starts = new CallSlots(CALLS);
  const source = { client, slots: new CallSlots(CALLS) };
  const runIds = new RunIds();
  const pending = new PendingLimit(maxPending, client, () => runs?.runs.orchestrationsInFlight ?? 0);
  const api = app.withTypeProvider<ZodTypeProvider>();

  api.post(
    "/api/orchestrations",
    {
      // A request that was in progress at the signal is finished.
      onRequest: async () => {
        if (stopping?.aborted) throw serverStopping();
      },
      preValidation: keysOf(contract.StartRequest),
      schema: {
        tags,
        ...security,
        summary: "Start orchestrations",
        description:
          `The task hub may have at most ${formatCount(maxPending)} unfinished orchestrations of fanout (--max-pending). ` +
          "A request beyond this limit starts nothing, and is answered 429 with Retry-After.",
        body: contract.StartRequest,
        response: { 202: contract.StartAnswer, ...errors(400, ...key, 403, 413, 415, 429, 500, 503) },
      },
    },
    async ({ body }, reply) => {
      const instanceIds = await pending.admit(body.parallelOrchestrations, () =>
        startOrchestrations(body, runIds.next(), client, starts),
      );
      return reply
        .code(202)
        .header("location", "/api/orchestrations/status")
        .send({ count: instanceIds.length, instanceIds });
    },
  );

  api.get(
    "/api/orchestrations/:id",
    {
      schema: {
        tags,
        ...security,
        summary: "Get one orchestration",
        params: contract.InstanceParams,
        response: { 200: contract.Instance, ...errors(400, ...key, 403, 404, 414, 500, 503) },
      },
    },
    async ({ params: { id } }) => {
      const instance = await readInstance(id, source);
      if (instance === undefined) throw new HttpError(404, "There is no instance with that id.", { field: "id" });
      return instance;
    },
  );

  api.post(
    "/api/orchestrations/status",
    {
      schema: {
        tags,
        ...security,
        summary: "Get many orchestrations",
        body: contract.StatusRequest,
        response: { 200: contract.StatusAnswer, ...errors(400, ...key, 403, 413, 415, 500, 503) },
      },
      // A large answer is already JSON text. The schema is only for the OpenAPI document.
      serializerCompiler: () => (answer: unknown) => (typeof answer === "string" ? answer : JSON.stringify(answer)),
    },
    async ({ body }, reply) => {
      const answer: unknown = await readInstances(body, source);
      return reply.type("application/json; charset=utf-8").send(answer as z.output<typeof contract.StatusAnswer>);
    },
  );
}
