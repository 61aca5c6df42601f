import { unary, type Service } from "./call.js";
import { RpcError } from "../../protocol/rpc-error.js";
import {
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus,
} from "../../protocol/durabletask_pb.js";
import { readMessage, writeMessage } from "../../protocol/messages.js";

/** What probes of gRPC ask: https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
export const HEALTH_SERVICE = "grpc.health.v1.Health";

const { SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus;

/**
 * Says of the services of those names, and of "", that they are served: an emulator that cannot be written to any more
 * ends, and one that is ending closes its connections.
 */
export function healthService(services: readonly string[]): Service {
  const isServed = (service: string): boolean => service === "" || services.includes(service);
  return {
    Check: unary((call, answer) => {
      const { service } = readMessage(HealthCheckRequestSchema, call.request);
      if (!isServed(service))
        throw new RpcError("NOT_FOUND", `The emulator has no service '${service}': it has ${services.join(", ")}.`);

      answer(undefined, writeMessage(HealthCheckResponseSchema, { status: SERVING }));
    }),

    /** Its status does not change for as long as the stream lives. */
    Watch: (call) => {
      const { service } = readMessage(HealthCheckRequestSchema, call.request);
      const status = isServed(service) ? SERVING : SERVICE_UNKNOWN;
      call.write(writeMessage(HealthCheckResponseSchema, { status }));
    },
  };
}
