import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Backend } from "../backend/backend.js";
import { plural } from "../format/count.js";
import { OwnWorkers } from "../own-workers/own-workers.js";
import { workerEnvironment } from "../own-workers/worker-environment.js";
import { mayStartOwn, ownWorkerActivities, ownWorkerCount } from "../own-workers/worker-policy.js";
import type { LoadPlan } from "../plan/plan.js";
import type { Replay } from "../protocol/replay.js";

/** Long enough for a worker to reconnect before it is replaced. */
const WORKERLESS_MS = 1_000;
const CONNECT_MS = 30_000;

export interface SearchWorkersOptions {
  readonly plan: LoadPlan;
  readonly backend: Backend;
  readonly replay: Replay;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
  readonly onGivenUp: (reason: string) => void;
}

/** Worker processes for a whole search, connected; undefined if workers of others do its work. */
export async function startSearchWorkers(options: SearchWorkersOptions): Promise<OwnWorkers | undefined> {
  const { plan, backend, replay, signal, onLine, onGivenUp } = options;
  if (!mayStartOwn(plan, backend.kind)) return undefined;
  if (plan.workers === "auto" && (await hasWorker(backend, signal))) return undefined;
  if (signal.aborted) return undefined;
  const environment = workerEnvironment(backend.connection, {
    transport: backend.target.transport ?? "grpc-js",
    replay,
    mostActivities: ownWorkerActivities(plan),
  });
  // A search has many orchestrations in flight, whatever the plan says of one run.
  const { parallelOrchestrations: _ofOneRun, ...ofSearch } = plan;
  const count = ownWorkerCount(ofSearch, availableParallelism());
  const workers = new OwnWorkers({ count, environment, onLine, onGivenUp });
  workers.start();
  onLine(`started ${plural(count, "worker process")} for this search`);
  await Promise.race([workers.allConnected, sleep(CONNECT_MS, undefined, { signal }).catch(() => {})]);
  return workers;
}

/** Whether the emulator has a worker, or gets one within a second. */
async function hasWorker({ admin, connection }: Backend, signal: AbortSignal): Promise<boolean> {
  const { taskHub } = connection;
  const patience = AbortSignal.any([signal, AbortSignal.timeout(WORKERLESS_MS)]);
  try {
    for await (const hub of admin!.watch({ taskHub, instanceIdPrefix: "-" }, { signal: patience }))
      if (hub.workers > 0) return true;
  } catch (error) {
    if (!patience.aborted) throw error;
  }
  return false;
}
