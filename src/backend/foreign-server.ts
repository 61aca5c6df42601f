import { status, type ServiceError } from "@grpc/grpc-js";
import { FanoutError } from "../errors.js";

const CHECK = "Check the host and the port of the connection string; `fanout doctor` looks at each step.";

/** The gRPC codes that an HTTP status becomes if it means neither "away" nor "no credential". */
const NOT_GRPC: ReadonlySet<number> = new Set([status.UNIMPLEMENTED, status.UNKNOWN, status.INTERNAL]);

/**
 * Explains an answer that is not gRPC. Undefined if it is gRPC, or if a gateway may have sent it for a backend that is
 * away or refuses. `place` is the endpoint of the connection string.
 */
export function webServer(error: ServiceError, place: string): FanoutError | undefined {
  const [, what] = /^Received (HTTP status code \d+|content type .*)$/u.exec(error.details) ?? [];
  if (what === undefined || !NOT_GRPC.has(error.code)) return undefined;
  const looks = `The server at ${place} looks like a web server or a proxy, not like a Durable Task backend`;
  return new FanoutError("not-a-backend", `${looks}: it answered with ${what} instead of gRPC.`, {
    hint: CHECK,
    cause: error,
  });
}

/** A server without the service answers every call with one of these. A backend never answers Hello with them. */
const UNKNOWN_SERVICE: ReadonlySet<number> = new Set([status.UNIMPLEMENTED, status.NOT_FOUND]);

/** Explains an error of Hello as one of another gRPC server; undefined if that is not certain. */
export function otherService(error: ServiceError, place: string): FanoutError | undefined {
  if (!UNKNOWN_SERVICE.has(error.code)) return undefined;
  const looks = `The server at ${place} looks like another gRPC server, not like a Durable Task backend`;
  const details = error.details === "" ? "" : ` (${error.details})`;
  const problem = `${looks}: it answered Hello with ${status[error.code]}${details}.`;
  return new FanoutError("not-a-backend", problem, { hint: CHECK, cause: error });
}
