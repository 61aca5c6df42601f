import type { Connection } from "./connection-string.js";
import type { EmulatorAdmin } from "./emulator-admin.js";
import type { GrpcTarget } from "./grpc-target.js";
import type { OrchestrationClient } from "./orchestration-client.js";

/** An open backend: the embedded emulator, or a Scheduler (any server of its protocol) elsewhere. */
export interface Backend {
  readonly kind: "emulator" | "scheduler";
  readonly connection: Connection;
  /** Its name for a person, for example `the embedded emulator` or `http://localhost:8080`. No secret. */
  readonly displayName: string;
  readonly target: GrpcTarget;
  readonly client: OrchestrationClient;
  /** The calls that only the embedded emulator has. */
  readonly admin: EmulatorAdmin | undefined;
  /**
   * Called before a call is repeated that found the backend away. It restarts the emulator if that has ended, once for
   * all callers. Elsewhere it pauses for 50 to 250 ms.
   */
  recover(): Promise<void>;
  close(): void;
}
