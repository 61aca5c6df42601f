import type { Backend } from "../backend/backend.js";
import { errorText } from "../format/error-text.js";
import { readTimelines } from "../hub/read-timeline.js";
import type { SoakEvidence } from "../result/soak-schema.js";

const STUCK = 20;
const TIMELINES = 3;
const PATIENCE_MS = 20_000;

/**
 * What the backend says of the oldest instances in flight, within 20 seconds. Never rejects: what could not be read is
 * absent, with the reason.
 */
export async function evidenceOf(
  backend: Backend,
  oldest: readonly string[],
  interruption: AbortSignal,
): Promise<Pick<SoakEvidence, "stuck" | "timelines" | "withoutTimelines">> {
  const signal = AbortSignal.any([interruption, AbortSignal.timeout(PATIENCE_MS)]);
  const ids = oldest.slice(0, STUCK);
  const stuck = await Promise.all(
    ids.map(async (instanceId) => {
      const state = await backend.client.getInstance(instanceId, { signal }).catch(() => undefined);
      return { instanceId, status: state?.status ?? "unknown" };
    }),
  );
  try {
    const timelines = [];
    for (const id of ids.slice(0, TIMELINES))
      timelines.push(...((await readTimelines(backend, id, { signal, depth: 0 })) ?? []));
    return { stuck, timelines };
  } catch (error) {
    return { stuck, timelines: [], withoutTimelines: errorText(error) };
  }
}
