import { setTimeout as sleep } from "node:timers/promises";
import type { OrchestrationClient, RuntimeStatus } from "../backend/orchestration-client.js";
import { concurrently } from "../async/concurrently.js";
import { terminateInstances } from "./terminate-instances.js";
import type { InstanceSelection } from "./instance-selection.js";
import { isEnded } from "../backend/ended-status.js";

const CALLS_AT_ONCE = 50;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

type ByStatus = Partial<Record<RuntimeStatus, number>>;

export interface Termination {
  /** The ended instances by status; some may have completed before their termination. */
  readonly endedAs: ByStatus;
  /** Their ids. */
  readonly ended: readonly string[];
  /** The instances that did not end in time. */
  readonly unfinished: InstanceSelection["unfinished"];
  /** The backend's words about the first one that it refused. */
  readonly refusal?: string;
}

export interface TerminationOptions {
  readonly signal: AbortSignal;
  /** How long to wait for the end after all were terminated. */
  readonly patienceMs: number;
  /** Called after each part that has ended. */
  readonly onEnded?: (count: number) => void;
}

/**
 * Terminates instances by id and waits until they have ended, because a backend may act on a termination later. Rejects
 * when the signal aborts, and as `terminateInstances` does.
 */
export async function untilTerminated(
  client: OrchestrationClient,
  instanceIds: readonly string[],
  { signal, patienceMs, onEnded = () => {} }: TerminationOptions,
): Promise<Termination> {
  const { terminated, others, refusal } = await terminateInstances(client, instanceIds, signal);
  signal.throwIfAborted();
  onEnded(terminated.length);
  const endedAs: ByStatus = terminated.length > 0 ? { Terminated: terminated.length } : {};
  const ended = [...terminated];
  const deadlineMs = performance.now() + patienceMs;
  let open = others;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    const unfinished: string[] = [];
    const byStatus: ByStatus = {};
    await concurrently(open, CALLS_AT_ONCE, signal, async (id) => {
      // An instance that was purged meanwhile has ended too.
      const how = (await client.getInstance(id, { signal }))?.status ?? "Terminated";
      const counts = isEnded(how) ? endedAs : byStatus;
      counts[how] = (counts[how] ?? 0) + 1;
      (isEnded(how) ? ended : unfinished).push(id);
    });
    signal.throwIfAborted();
    onEnded(open.length - unfinished.length);
    open = unfinished;
    if (open.length === 0 || performance.now() >= deadlineMs) {
      return {
        endedAs,
        ended,
        unfinished: { ids: open.toSorted(), byStatus },
        ...(refusal !== undefined && { refusal }),
      };
    }
    await sleep(pauseMs, undefined, { signal });
  }
}
