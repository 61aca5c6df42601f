import { raw, type Service } from "./call.js";
import { RpcError } from "../../protocol/rpc-error.js";
import { BinaryWriter, WireType, decode } from "../../protocol/wire.js";

/** What probes of gRPC ask: https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
export const HEALTH_SERVICE = "grpc.health.v1.Health";

const HealthCheckRequest = { service: [1, "string"] } as const;

const SERVING = 1;
const SERVICE_UNKNOWN = 3;

/** `HealthCheckResponse` */
function healthCheckResponse(status: number): Uint8Array {
  return new BinaryWriter().tag(1, WireType.Varint).int32(status).finish();
}

/**
 * Says of the services of those names, and of "", that they are served: an emulator that cannot be written to any more
 * ends, and one that is ending closes its connections.
 */
export function healthService(services: readonly string[]): Service {
  const isServed = (service: string): boolean => service === "" || services.includes(service);
  return {
    Check: raw((call, answer) => {
      const { service } = decode(HealthCheckRequest, call.request);
      if (!isServed(service))
        throw new RpcError("NOT_FOUND", `The emulator has no service '${service}': it has ${services.join(", ")}.`);

      answer(undefined, healthCheckResponse(SERVING));
    }),

    /** Its status does not change for as long as the stream lives. */
    Watch: (call) => {
      const { service } = decode(HealthCheckRequest, call.request);
      call.write(healthCheckResponse(isServed(service) ? SERVING : SERVICE_UNKNOWN));
    },
  };
}
