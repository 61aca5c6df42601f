import { Metadata, credentials } from "@grpc/grpc-js";
import type { Backend } from "../../../src/backend/backend.js";
import { Reachability } from "../../../src/backend/reachability.js";
import type { InstanceState, OrchestrationClient } from "../../../src/backend/orchestration-client.js";

/** An instance that has ended well, with an output that accounts for `activities`. */
export function completedState(instanceId: string, activities: number): InstanceState {
  return {
    instanceId,
    name: "FanOutFanInOrchestration",
    status: "Completed",
    createdMs: 1_000,
    lastUpdatedMs: 2_000,
    completedMs: 2_000,
    input: undefined,
    output: JSON.stringify({ totalActivities: activities, elapsedTimeMs: 5, averageActivityTimeMs: 1 }),
    customStatus: undefined,
    failure: undefined,
  };
}

const unexpected = (): Promise<never> => Promise.reject(new Error("unexpected call"));

/** A client whose every call fails the test, but for those given. */
export function fakeClient(calls: Partial<OrchestrationClient>): OrchestrationClient {
  return {
    startInstance: unexpected,
    getInstance: unexpected,
    waitForCompletion: unexpected,
    queryInstances: unexpected,
    listInstanceIds: unexpected,
    historyOf: unexpected,
    momentsOf: unexpected,
    streamMoments: unexpected,
    terminate: unexpected,
    terminateBatch: unexpected,
    purge: unexpected,
    purgeBatch: unexpected,
    rpcErrors: {},
    reachability: new Reachability(unexpected),
    ...calls,
  };
}

/** Rejects when the signal aborts, as a call that is waiting does. */
export function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(new Error("CANCELLED")), { once: true });
  });
}

/** A backend elsewhere, unless an admin service is given. */
export function fakeBackend({ client = fakeClient({}), admin }: Partial<Pick<Backend, "client" | "admin">>): Backend {
  return {
    kind: admin ? "emulator" : "scheduler",
    connection: { kind: "emulator", taskHub: "default", source: "a test" },
    displayName: "a fake",
    target: {
      address: "localhost:0",
      isSecure: false,
      credentials: credentials.createInsecure(),
      options: {},
      metadata: () => Promise.resolve(new Metadata()),
    },
    client,
    admin,
    recover: () => Promise.resolve(),
    close: () => {},
  };
}
