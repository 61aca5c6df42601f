import { HttpError } from "../http-error.js";

/** The refusal of a read of the task hub that has waited for its turn for too long. */
export function tooManyReads(problem: string): HttpError {
  return new HttpError(429, problem, { code: "too-many-reads", hint: "Try again in a few seconds." });
}
