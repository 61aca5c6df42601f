import { z } from "zod";
import { count, list, number, object } from "./json-field.js";

/** What a figure's numbers are: milliseconds, a share of 1, something per second, or a number of things. */
export type FigureKind = "duration" | "share" | "rate" | "count";

/** The kind of each field that is a figure; of a record also the names that it may have. */
export const figureFields = z.registry<{ readonly kind: FigureKind; readonly names?: readonly string[] }>();

function figure<T extends z.ZodNumber>(kind: FigureKind, field: T): T {
  const own = field.clone();
  figureFields.add(own, { kind });
  return own;
}

/**
 * Numbers that a run measures, and that thresholds may name by their path. What the plan asks for is none of them, and
 * neither is what goes both ways (the clock's offset), where a bound says nothing.
 */
export const measured = {
  count: figure("count", count),
  /** A number of things on the average. */
  mean: figure("count", number),
  duration: figure("duration", number),
  rate: figure("rate", number),
  share: figure("share", number),
} as const;

/** https://grpc.io/docs/guides/status-codes/ without OK: a status that is misspelt would never be found, and so pass. */
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

/** Failed attempts by status. A status that no gRPC has passes, but is no figure. */
export const byGrpcStatus = z
  .record(z.string().regex(/^\w+$/u), count, "an object of counts by gRPC status")
  .register(figureFields, { kind: "count", names: GRPC_ERRORS })
  .describe("By gRPC status name, such as UNAVAILABLE.");

/** The first of a list, and how long all of it is. */
export const listed = <T extends z.ZodType>(item: T) => object({ total: measured.count, first: list(item) });
