import { z } from "zod";
import { ERROR_CODES, FanoutError, UsageError, sentences, type ErrorCode } from "../errors.js";
import { shortened } from "../format/one-line.js";
import { HttpError } from "./http-error.js";

/** Routes under this prefix answer errors as problems of RFC 9457. All others have the shape of the contract. */
export const PROBLEM_PREFIX = "/api/v1/";
export const PROBLEM_TYPE = "application/problem+json";

const MAX_DETAIL_LENGTH = 1_000;
const MAX_FIELD_LENGTH = 100;
const MAX_ERRORS = 20;

export const Problem = z
  .object({
    type: z.string().describe("Says what the kind of problem means. It can be read with GET."),
    title: z.string().describe("The meaning of the kind."),
    status: z.int(),
    detail: z.string().describe("What was expected, and what was found."),
    code: z.string().describe("The kind of problem, for programs. docs/errors.md lists all codes."),
    hint: z.string().optional().describe("What to do next."),
    field: z.string().optional().describe("The part of the request that is wrong."),
    errors: z
      .array(z.object({ field: z.string().optional(), detail: z.string() }))
      .optional()
      .describe("What is wrong, if it is more than one thing: the first 20 errors."),
    actions: z.int().optional().describe("How many actions the run may cost."),
  })
  .meta({
    examples: [
      {
        type: "/api/v1/problems/invalid-value",
        title: ERROR_CODES["invalid-value"],
        status: 400,
        detail: 'rate: expected a rate such as 50/s, 0.5/s or 90/m, at most 100,000/s, found "fast"',
        code: "invalid-value",
        field: "rate",
      },
    ],
  });

export type Problem = z.output<typeof Problem>;

export function problemOf(error: HttpError): Problem {
  const { code, statusCode, problem, hint, field, facts } = error;
  return {
    type: typeOf(code),
    title: ERROR_CODES[code],
    status: statusCode,
    detail: shortened(problem, MAX_DETAIL_LENGTH),
    code,
    ...(hint !== undefined && { hint: shortened(hint, MAX_DETAIL_LENGTH) }),
    ...(field !== undefined && { field: shortened(field, MAX_FIELD_LENGTH) }),
    ...facts,
  };
}

function typeOf(code: ErrorCode): string {
  return `${PROBLEM_PREFIX}problems/${code}`;
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  "spend-limit": 422,
  "idempotency-key-reused": 422,
  "run-id-taken": 409,
  "run-in-progress": 409,
  "no-result": 404,
  "too-many-runs": 429,
  "too-many-viewers": 429,
  "server-stopping": 503,
};

/** What a refused request answers. An error of the backend stays as it is. */
export function refusalOf(error: unknown): unknown {
  const status = error instanceof FanoutError ? STATUS[error.code] : undefined;
  return status === undefined ? error : problemWith(status, error as FanoutError);
}

/** What a start answers whose plan is wrong, or may cost too much. */
export function wrongPlanOf(error: unknown, mostActions?: number): unknown {
  if (!(error instanceof UsageError)) return refusalOf(error);
  const { code } = error;
  const actions = code === "spend-limit" && mostActions !== undefined ? { actions: mostActions } : {};
  return problemWith(STATUS[code] ?? 400, error, actions);
}

function problemWith(status: number, error: FanoutError, actions: { readonly actions?: number } = {}): HttpError {
  const { code, problem, hint, more } = error;
  const errors = [error, ...more.slice(0, MAX_ERRORS)].map((one) => ({
    ...fieldOf(one.problem),
    detail: shortened(sentences(one.problem, one.hint), MAX_DETAIL_LENGTH),
  }));
  const facts = { ...(more.length > 0 && { errors }), ...actions };
  return new HttpError(status, problem, { code, hint, ...fieldOf(problem), facts, cause: error });
}

/** The key of a plan that the problem begins with. */
function fieldOf(problem: string): { readonly field?: string } {
  const field = /^([A-Za-z][\w.]*)(?:: | ')/u.exec(problem)?.[1];
  return field === undefined ? {} : { field: shortened(field, MAX_FIELD_LENGTH) };
}
