import type { Backend } from "../backend/backend.js";
import { errorText } from "../format/error-text.js";
import { readTimelines } from "../hub/read-timeline.js";
import type { SoakEvidence } from "../result/soak-schema.js";
import type { Timeline } from "../result/timeline-schema.js";

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
  const stuck = await Promise.all(
    oldest.map(async (instanceId) => {
      const status = await backend.client.getInstance(instanceId, { signal }).then(
        (state) => state?.status ?? "missing",
        () => "unknown",
      );
      return { instanceId, status };
    }),
  );
  const timelines: Timeline[] = [];
  try {
    for (const id of oldest.slice(0, TIMELINES))
      timelines.push(...((await readTimelines(backend, id, { signal, depth: 0 })) ?? []));
    return { stuck, timelines };
  } catch (error) {
    return { stuck, timelines, withoutTimelines: errorText(error) };
  }
}
