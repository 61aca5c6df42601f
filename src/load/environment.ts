import { arch, cpus, platform, release } from "node:os";
import type { Backend } from "../backend/backend.js";
import type { BackendDurability, HubSurvey, ResultEnvironment } from "../result/run-result.js";
import type { Replay } from "../protocol/replay.js";
import { FANOUT_VERSION, SDK_VERSION } from "../version.js";

/** Ordered from the weakest. */
const DURABILITIES: readonly BackendDurability[] = ["ephemeral", "process", "disk"];

/** The weaker of the emulator's durability now and the one known before: another emulator may have replaced it. */
export async function durabilityOf(
  { admin }: Backend,
  signal: AbortSignal,
  before?: BackendDurability,
): Promise<BackendDurability | undefined> {
  // An emulator that no longer answers adds nothing.
  const now = await admin?.status({ signal }).then(
    ({ durability }) => durability,
    () => undefined,
  );
  return DURABILITIES.find((durability) => durability === now || durability === before);
}

/** The conditions that the figures depend on, besides the plan. No secret: results are shared. */
export function describeEnvironment(
  backend: Backend,
  { ownWorkers, replay }: { readonly ownWorkers: number; readonly replay: Replay },
  hub: HubSurvey,
  durability: BackendDurability | undefined,
): ResultEnvironment {
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
      ...(durability && { durability }),
    },
    taskHub: backend.connection.taskHub,
    // If others do the work, the run makes only calls of a client.
    transport: transport === "link" && ownWorkers === 0 ? "http2" : transport,
    ownWorkers,
    ...(ownWorkers > 0 && { workers: { replay } }),
    hub,
  };
}
