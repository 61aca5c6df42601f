import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { Backend } from "../../backend/backend.js";
import { sentences } from "../../errors.js";
import type { PlannedRun } from "../../runs/planned-run.js";
import { HttpError } from "../http-error.js";
import { PROBLEM_PREFIX, wrongPlanOf } from "../problem.js";
import { objectBody, problemAnswers, type RunsApi } from "../run-routes.js";
import { planBody } from "../run-schemas.js";
import { PlanCheck } from "./plan-schemas.js";

/** A plan is checked while somebody types it: the answer does not wait for a backend that is away. */
const BACKEND_PATIENCE_MS = 1_500;

type BackendFacts = NonNullable<PlanCheck["backend"]>;

/** Says what a plan would start and cost, and starts nothing. */
export function addPlanCheck(
  app: FastifyInstance,
  { keys, readPlan, billing }: RunsApi,
  backend: () => Promise<Backend>,
  security: object,
): void {
  const facts = rememberedFacts(billing, backend);
  app.withTypeProvider<ZodTypeProvider>().post(
    `${PROBLEM_PREFIX}plans`,
    {
      preValidation: objectBody,
      schema: {
        tags: ["Runs"],
        ...security,
        summary: "Check a plan",
        description:
          "Says what a run of this plan would start and cost, and starts nothing. A plan with wrong keys is answered 200, with `errors`.",
        body: planBody(keys),
        response: { 200: PlanCheck, ...problemAnswers([400, 403, 413, 415]) },
      },
      // As for a start: the plan has its own reader.
      validatorCompiler: () => (value: unknown) => ({ value }),
    },
    async ({ body }) => {
      const found = await facts();
      const backendPart = found === undefined ? {} : { backend: found };
      const read = orErrors(() => readPlan(body));
      if ("errors" in read) return { valid: false, ...read, ...backendPart };
      const { planLine, mostActions, mostStarts } = read;
      const refusal = refusalOf(read, found);
      return {
        valid: true,
        errors: [],
        planLine,
        ...(mostActions !== undefined && { actions: mostActions }),
        ...(mostStarts !== undefined && { starts: mostStarts }),
        ...(refusal && { refusal }),
        ...backendPart,
      };
    },
  );
}

type PlanErrors = Pick<PlanCheck, "errors">;

function orErrors<T>(act: () => T): T | PlanErrors {
  try {
    return act();
  } catch (error) {
    const wrong = wrongPlanOf(error);
    if (!(wrong instanceof HttpError) || wrong.statusCode >= 500) throw error;
    const { facts, field, problem, hint } = wrong;
    return { errors: facts?.errors ?? [{ ...(field !== undefined && { field }), detail: sentences(problem, hint) }] };
  }
}

/** A backend that does not answer may bill actions too. */
function refusalOf({ guard }: PlannedRun, found: BackendFacts | undefined): PlanErrors["errors"][number] | undefined {
  const guarded = orErrors(() => {
    guard(found?.mayBill === false ? "emulator" : "billed");
    return { errors: [] };
  });
  return guarded.errors[0];
}

/** Asks the backend until it has answered once: it stays the same for the life of a server. */
function rememberedFacts(
  billing: RunsApi["billing"],
  open: () => Promise<Backend>,
): () => Promise<BackendFacts | undefined> {
  let asked: Promise<BackendFacts> | undefined;
  const ask = async (): Promise<BackendFacts> => {
    const { displayName, connection } = await open();
    return { name: displayName, taskHub: connection.taskHub, mayBill: (await billing()) === "billed" };
  };
  return async () => {
    asked ??= ask().catch((error: unknown) => {
      asked = undefined;
      throw error;
    });
    const patience = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => patience.resolve(undefined), BACKEND_PATIENCE_MS);
    return Promise.race([asked.catch(() => undefined), patience.promise]).finally(() => clearTimeout(timer));
  };
}
