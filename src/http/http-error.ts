import { STATUS_CODES } from "node:http";
import { status } from "@grpc/grpc-js";
import { isServiceError } from "../backend/call-retry.js";
import { FanoutError, sentences, type ErrorCode } from "../errors.js";
import { errorText } from "../format/error-text.js";
import { shortened } from "../format/one-line.js";
import type { ErrorBody } from "./request-schemas.js";

/** Seconds until a client may retry. An emulator that had ended is running again by then. */
const RETRY_AFTER_SECONDS = "5";
const MAX_MESSAGE_LENGTH = 500;

/** gRPC codes after which a retry may succeed. */
const AWAY = new Set<number>([status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.RESOURCE_EXHAUSTED, status.ABORTED]);
/** gRPC codes that blame the request, such as an id that is too long. */
const REFUSED = new Set<number>([status.INVALID_ARGUMENT]);
/** gRPC codes of a backend that is there and fails. A retry is useless. */
const FAILED = new Set<number>([status.INTERNAL, status.DATA_LOSS]);

/** The code of a status, unless the error has a more specific one. */
const CODES: Readonly<Record<number, ErrorCode>> = {
  400: "invalid-request",
  401: "unauthorized",
  403: "forbidden",
  404: "not-found",
  405: "method-not-allowed",
  413: "request-too-large",
  414: "request-too-large",
  415: "unsupported-media-type",
  429: "too-many-pending",
  503: "backend-unreachable",
};

interface HttpErrorOptions extends ErrorOptions {
  /** What to do next. */
  readonly hint?: string | undefined;
  /** Defaults to the code of the status. */
  readonly code?: ErrorCode | undefined;
  readonly field?: string | undefined;
  /** The ids of the accepted starts, if later ones failed. */
  readonly instanceIds?: readonly string[];
  /** Further fields of a problem. */
  readonly facts?: ProblemFacts;
}

/** Fields that only a problem has. */
interface ProblemFacts {
  /** All that is wrong, if it is more than one thing. */
  readonly errors?: { readonly field?: string; readonly detail: string }[];
  /** How many actions the run may cost. */
  readonly actions?: number;
}

/** An error that is the answer to a request. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly field: string | undefined;
  readonly instanceIds: readonly string[] | undefined;
  readonly facts: HttpErrorOptions["facts"];

  constructor(
    readonly statusCode: number,
    /** What was expected and what was found. `message` is this and the hint. */
    readonly problem: string,
    { code = codeOf(statusCode), hint, field, instanceIds, facts, ...options }: HttpErrorOptions = {},
  ) {
    super(sentences(problem, hint), options);
    this.code = code;
    this.hint = hint;
    this.field = field;
    this.instanceIds = instanceIds;
    this.facts = facts;
  }

  get body(): ErrorBody {
    const { hint, field, instanceIds } = this;
    return {
      ...errorBody(this.statusCode, this.problem, this.code),
      ...(hint !== undefined && { hint: shortened(hint, MAX_MESSAGE_LENGTH) }),
      ...(field !== undefined && { field: shortened(field, 100) }),
      ...(instanceIds !== undefined && { count: instanceIds.length, instanceIds: [...instanceIds] }),
    };
  }

  get headers(): Readonly<Record<string, string>> {
    if (this.statusCode === 503 || this.statusCode === 429) return { "retry-after": RETRY_AFTER_SECONDS };
    return this.statusCode === 401 ? { "www-authenticate": "Bearer" } : {};
  }
}

export function errorBody(statusCode: number, message: string, code = codeOf(statusCode)): ErrorBody {
  return { error: STATUS_CODES[statusCode] ?? "Error", code, message: shortened(message, MAX_MESSAGE_LENGTH) };
}

function codeOf(statusCode: number): ErrorCode {
  return CODES[statusCode] ?? (statusCode < 500 ? "invalid-request" : "internal-error");
}

/**
 * The answer to an error of any kind. An error of neither the request nor the backend is a defect: its text is not
 * sent.
 */
export function httpErrorOf(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (isServiceError(error)) {
    const name = status[error.code] ?? `code ${error.code}`;
    const message = `The backend answered ${name}: ${error.details}`;
    const statusCode = statusCodeOf(error.code);
    const code = statusCode === 500 ? (FAILED.has(error.code) ? "backend-failed" : "backend-refused") : undefined;
    return new HttpError(statusCode, message, { code, cause: error });
  }
  if (error instanceof FanoutError) {
    const { code, problem, hint } = error;
    const hasFailed = isServiceError(error.cause) && FAILED.has(error.cause.code);
    const statusCode = code === "call-unsupported" ? 501 : hasFailed ? 500 : 503;
    return new HttpError(statusCode, problem, { code, hint, cause: error });
  }
  const statusCode = requestErrorCode(error);
  return statusCode === undefined
    ? new HttpError(500, "This is a bug in fanout.", {
        hint: "The output of the server has the details.",
        cause: error,
      })
    : new HttpError(statusCode, REQUEST_ERRORS[statusCode] ?? errorText(error), { cause: error });
}

function statusCodeOf(code: number): number {
  if (REFUSED.has(code)) return 400;
  return AWAY.has(code) ? 503 : 500;
}

/** The defect behind an error; undefined if the request or the backend is to blame. */
export function defectOf(error: unknown): unknown {
  if (error instanceof HttpError) return error.statusCode < 500 || !error.cause ? undefined : defectOf(error.cause);
  const isExpected = isServiceError(error) || error instanceof FanoutError || requestErrorCode(error) !== undefined;
  return isExpected ? undefined : error;
}

/** In place of fastify's text: these name the limit. */
const REQUEST_ERRORS: Readonly<Record<number, string>> = {
  413: "Expected a body of at most 1 MiB.",
  414: "Expected a shorter path.",
  415: "Expected the content type application/json, in UTF-8.",
};

/** The status code with which fastify refused a request. */
function requestErrorCode(error: unknown): number | undefined {
  const code = error instanceof Error && "statusCode" in error ? error.statusCode : undefined;
  return typeof code === "number" && code >= 400 && code < 500 ? code : undefined;
}
