import { arch, cpus, platform, release } from "node:os";
import type { Backend } from "../backend/backend.js";
import type { HubSurvey, ResultEnvironment } from "../stats/run-result.js";
import { FANOUT_VERSION, SDK_VERSION } from "../version.js";

/** What the figures of a run depend on beside its plan. No secret: it goes into results that are shared. */
export function describeEnvironment(backend: Backend, ownWorkers: number, hub: HubSurvey): ResultEnvironment {
  const cores = cpus();
  const { transport = "grpc-js" } = backend.target;
  return {
    fanoutVersion: FANOUT_VERSION,
    sdkVersion: SDK_VERSION,
    node: process.versions.node,
    platform: `${platform()} ${release()} ${arch()}`,
    cpu: { model: cores[0]?.model.trim() ?? "unknown", cores: cores.length },
    backend: {
      kind: backend.kind,
      name: backend.displayName,
      // The emulator answers behind a sync of what it has written.
      ...(backend.kind === "emulator" && { durability: "fsync" }),
    },
    taskHub: backend.connection.taskHub,
    // Where others do the work, the run makes no calls but a client's.
    transport: transport === "link" && ownWorkers === 0 ? "http2" : transport,
    ownWorkers,
    hub,
  };
}
