import { arch, cpus, platform, release } from "node:os";
import type { Backend } from "../backend/backend.js";
import type { BackendDurability, HubSurvey, ResultEnvironment } from "../result/run-result.js";
import type { Replay } from "../protocol/replay.js";
import { FANOUT_VERSION, SDK_VERSION } from "../version.js";

/** From the weakest on. */
const DURABILITIES: readonly BackendDurability[] = ["ephemeral", "process", "disk"];

/** What the emulator promises now, or promised before if that was less: another one may have taken its place. */
export async function durabilityOf(
  { admin }: Backend,
  signal: AbortSignal,
  before?: BackendDurability,
): Promise<BackendDurability | undefined> {
  // One that cannot be asked any more has nothing to add.
  const now = await admin?.status({ signal }).then(
    ({ durability }) => durability,
    () => undefined,
  );
  return DURABILITIES.find((durability) => durability === now || durability === before);
}

/** What the figures of a run depend on beside its plan. No secret: it goes into results that are shared. */
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
    // Where others do the work, the run makes no calls but a client's.
    transport: transport === "link" && ownWorkers === 0 ? "http2" : transport,
    ownWorkers,
    ...(ownWorkers > 0 && { workers: { replay } }),
    hub,
  };
}
