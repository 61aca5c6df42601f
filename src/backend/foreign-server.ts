import { status, type ServiceError } from "@grpc/grpc-js";
import { FanoutError } from "../errors.js";

const CHECK = "Check the host and the port of the connection string; `fanout doctor` looks at each step.";

/** What the status of HTTP becomes where it is no matter of being away, or of a credential. */
const NOT_GRPC: ReadonlySet<number> = new Set([status.UNIMPLEMENTED, status.UNKNOWN, status.INTERNAL]);

/**
 * What an answer that is no gRPC comes from; undefined where it is gRPC, or may be a gateway's before a backend that is
 * away or refuses. `place` is what the connection string says.
 */
export function webServer(error: ServiceError, place: string): FanoutError | undefined {
  const [, what] = /^Received (HTTP status code \d+|content type .*)$/u.exec(error.details) ?? [];
  if (what === undefined || !NOT_GRPC.has(error.code)) return undefined;
  const looks = `What answers at ${place} looks like a web server or a proxy, not like a Durable Task backend`;
  return new FanoutError("not-a-backend", `${looks}: ${what} in place of gRPC.`, { hint: CHECK, cause: error });
}

/** Codes that a server without the service has for any call of it, and a backend for no Hello. */
const UNKNOWN_SERVICE: ReadonlySet<number> = new Set([status.UNIMPLEMENTED, status.NOT_FOUND]);

/** Of an error that Hello has failed with: that the server is another one; undefined where it is not known to be. */
export function otherService(error: ServiceError, place: string): FanoutError | undefined {
  if (!UNKNOWN_SERVICE.has(error.code)) return undefined;
  const looks = `What answers at ${place} looks like another gRPC server, not like a Durable Task backend`;
  const details = error.details === "" ? "" : ` (${error.details})`;
  const problem = `${looks}: it answered Hello with ${status[error.code]}${details}.`;
  return new FanoutError("not-a-backend", problem, { hint: CHECK, cause: error });
}
