import type { Connection } from "./connection-string.js";
import type { EmulatorAdmin } from "./emulator-admin.js";
import type { GrpcTarget } from "./grpc-target.js";
import type { OrchestrationClient } from "./orchestration-client.js";

/** An open backend: the embedded emulator, or a Scheduler (or any server of its protocol) elsewhere. */
export interface Backend {
  readonly kind: "emulator" | "scheduler";
  readonly connection: Connection;
  /** What to call it in front of a person, for example `the embedded emulator` or `http://localhost:8080`. No secret. */
  readonly displayName: string;
  readonly target: GrpcTarget;
  readonly client: OrchestrationClient;
  /** What only the embedded emulator can tell. */
  readonly admin: EmulatorAdmin | undefined;
  /**
   * Called after a call failed because the backend was away, before it is tried again: the emulator is started again
   * if it has gone (one start at a time, however many callers), elsewhere this is a pause of 50 to 250 ms.
   */
  recover(): Promise<void>;
  close(): void;
}
