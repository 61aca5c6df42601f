import type { BreakdownExample } from "../result/run-result.js";
import type { SpentTime } from "./phases.js";

/** What a picture of the length of a page can show. */
const MOST_PARTS = 120;

interface Spent {
  readonly instanceId: string;
  readonly spent: readonly SpentTime[];
}

/**
 * The median orchestration and the slowest one, as what they spent their time on, in order. Two phases that are given as one
 * are at the place of the second. A single orchestration has no slower one.
 */
export function examplesOf(all: readonly Spent[]): readonly BreakdownExample[] {
  const ascending = all.toSorted((a, b) => wholeOf(a) - wholeOf(b));
  const median = ascending[Math.floor((ascending.length - 1) / 2)];
  const slowest = ascending.length > 1 ? ascending.at(-1) : undefined;
  return [...(median ? [exampleOf("median", median)] : []), ...(slowest ? [exampleOf("slowest", slowest)] : [])];
}

function exampleOf(rank: BreakdownExample["rank"], one: Spent): BreakdownExample {
  const { instanceId, spent } = one;
  const parts = joined(spent.filter(({ us }) => us > 0));
  const shown = parts.length > MOST_PARTS ? joined(sampled(parts, wholeOf(one))) : parts;
  return {
    rank,
    instanceId,
    wholeMs: wholeOf(one) / 1_000,
    parts: shown.map(({ phase, us }) => ({ phase, ms: us / 1_000 })),
  };
}

function wholeOf({ spent }: Spent): number {
  return spent.reduce((sum, { us }) => sum + us, 0);
}

/** Neighbours of one phase are one part. */
function joined(spent: readonly SpentTime[]): readonly SpentTime[] {
  const parts: SpentTime[] = [];
  for (const { phase, us } of spent) {
    const last = parts.at(-1);
    if (last?.phase === phase) parts[parts.length - 1] = { phase, us: last.us + us };
    else parts.push({ phase, us });
  }
  return parts;
}

/** Of more parts than a picture can show: equal slices of the time, each as the phase that has most of it. */
function sampled(parts: readonly SpentTime[], wholeUs: number): readonly SpentTime[] {
  const sliceUs = wholeUs / MOST_PARTS;
  const slices = Array.from({ length: MOST_PARTS }, () => new Map<SpentTime["phase"], number>());
  let fromUs = 0;
  for (const { phase, us } of parts) {
    const toUs = fromUs + us;
    const last = Math.min(MOST_PARTS - 1, Math.floor(toUs / sliceUs));
    for (let index = Math.floor(fromUs / sliceUs); index <= last; index += 1) {
      const within = Math.min(toUs, (index + 1) * sliceUs) - Math.max(fromUs, index * sliceUs);
      const slice = slices[index]!;
      slice.set(phase, (slice.get(phase) ?? 0) + within);
    }
    fromUs = toUs;
  }
  return slices.map((slice) => {
    const [most] = [...slice].toSorted(([, a], [, b]) => b - a);
    return { phase: most![0], us: sliceUs };
  });
}
