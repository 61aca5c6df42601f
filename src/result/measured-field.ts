import { z } from "zod";
import { count, list, number, object } from "./json-field.js";

/** The unit of a figure: milliseconds, a part of 1, a rate per second, or a number of things. */
export type FigureKind = "duration" | "share" | "rate" | "count";

/** The kind of each field that is a figure. For a record, also the names of its fields. */
export const figureFields = z.registry<{ readonly kind: FigureKind; readonly names?: readonly string[] }>();

function figure<T extends z.ZodNumber>(kind: FigureKind, field: T): T {
  const own = field.clone();
  figureFields.add(own, { kind });
  return own;
}

/**
 * Numbers that a run measures, and that thresholds may name by their path. Fields of the plan are not among them.
 * Neither are figures that may be negative, such as the clock's offset, because a bound on them means nothing.
 */
export const measured = {
  count: figure("count", count),
  /** An average number of things. */
  mean: figure("count", number),
  duration: figure("duration", number),
  rate: figure("rate", number),
  share: figure("share", number),
} as const;

/**
 * https://grpc.io/docs/guides/status-codes/ without OK. A misspelt status would never occur, so its threshold would
 * always pass.
 */
const GRPC_ERRORS = [
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];

/** Failed attempts by status. A status that gRPC does not have is accepted, but is no figure. */
export const byGrpcStatus = z
  .record(z.string().regex(/^\w+$/u), count, "an object of counts by gRPC status")
  .register(figureFields, { kind: "count", names: GRPC_ERRORS })
  .describe("By gRPC status name, such as UNAVAILABLE.");

/** The first items of a list, and its length. */
export const listed = <T extends z.ZodType>(item: T) => object({ total: measured.count, first: list(item) });
