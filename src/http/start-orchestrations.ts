import type { OrchestrationClient } from "../backend/orchestration-client.js";
import { plural } from "../format/count.js";
import { concurrently } from "../async/concurrently.js";
import { instanceIdOf, newServedId } from "../plan/run-id.js";
import { FAN_OUT_FAN_IN_ORCHESTRATION } from "../orchestrations/fan-out-fan-in-contract.js";
import type { CallSlots } from "./call-slots.js";
import type { StartRequest } from "./request-schemas.js";
import { HttpError, httpErrorOf } from "./http-error.js";
import { Patience } from "./patience.js";

/**
 * Starts the orchestrations of a request and returns their ids after the backend has accepted all of them. If a start
 * fails, no more are sent, and those in progress are awaited.
 * @throws HttpError with the ids that were accepted
 */
export async function startOrchestrations(
  { iterations, parallelActivities, parallelOrchestrations }: StartRequest,
  runId: string,
  client: () => Promise<OrchestrationClient>,
  slots: CallSlots,
): Promise<string[]> {
  using patience = new Patience();
  const { signal } = patience;
  const failed = new AbortController();
  const instanceIds = Array.from({ length: parallelOrchestrations }, (_, number) => instanceIdOf(runId, number));
  const accepted = new Set<string>();
  let sent = 0;
  await concurrently(instanceIds, Math.min(slots.size, instanceIds.length), failed.signal, async (instanceId) => {
    const start = {
      instanceId,
      name: FAN_OUT_FAN_IN_ORCHESTRATION,
      input: { iterations, parallelActivities },
    };
    try {
      await slots.use(signal, async () => {
        const orchestrations = await client();
        failed.signal.throwIfAborted();
        sent += 1;
        await orchestrations.startInstance(start, { signal });
      });
      accepted.add(instanceId);
      patience.progressed();
    } catch (error) {
      failed.abort(error);
    }
  });
  if (failed.signal.aborted) throw midway(failed.signal.reason, runId, instanceIds, accepted, sent);

  return instanceIds;
}

function midway(
  error: unknown,
  runId: string,
  instanceIds: readonly string[],
  accepted: ReadonlySet<string>,
  sent: number,
): HttpError {
  const { code, statusCode, problem, hint } = httpErrorOf(error);
  const started = instanceIds.filter((id) => accepted.has(id));
  const unsure = sent - started.length;
  const parts = [
    `${started.length} of ${plural(instanceIds.length, "orchestration")} were started.`,
    ...(unsure > 0 ? [`Another ${unsure} may have been started: their ids begin with ${runId}-.`] : []),
    problem,
  ];
  return new HttpError(statusCode, parts.join(" "), { code, hint, cause: error, instanceIds: started });
}

/** Run ids that are unique within this process. At a thousand requests a second, random ids alone would repeat. */
export class RunIds {
  #ms = 0;
  readonly #ofThisMs = new Set<string>();

  next(nowMs = Date.now(), random: () => number = Math.random): string {
    if (nowMs !== this.#ms) {
      this.#ms = nowMs;
      this.#ofThisMs.clear();
    }
    let id = newServedId(nowMs, random);
    while (this.#ofThisMs.has(id)) id = newServedId(nowMs, random);
    this.#ofThisMs.add(id);
    return id;
  }
}
