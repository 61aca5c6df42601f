import { censoredOf } from "../result/stored-percentile.js";
import type { GeneratorHealth, RunResult, Verdict, WindowTally } from "../result/run-result.js";
import type { Shard } from "../result/shard.js";
import type { Coordinated } from "./coordinated.js";
import { mergedCounts } from "./merged-counts.js";
import { mergedHealth } from "./merged-health.js";
import { mergedVerdict } from "./merged-verdict.js";
import { OrchestrationFigures } from "./orchestration-figures.js";
import type { ResultSoFar } from "./result-so-far.js";
import { RunLatencies, type NoticedTally } from "./run-latencies.js";
import { ThroughputWindow } from "./throughput-window.js";

/** What one generator tells of its part of a run in progress, so that the whole can be judged. Plain data. */
export interface StandingPart extends Pick<RunResult, "counts" | "byOrchestration"> {
  readonly shard: Shard;
  /** When it was told, in milliseconds from the start of the run. */
  readonly atMs: number;
  /** Starts that the backend acknowledged. */
  readonly accepted: number;
  /** Until the client noticed. */
  readonly latencies: NoticedTally;
  /** By the time of noticing. */
  readonly window: WindowTally;
  readonly generator: GeneratorHealth;
  readonly verdict: Verdict | undefined;
}

interface Told extends Coordinated {
  readonly runId: string;
  readonly startedMs: number;
  readonly durationMs: number;
  /** Up to here all parts are known, in milliseconds from the start of the run. */
  readonly toldMs: number;
}

/** The result so far of a run that several generators make: as `Recorder.standing` has it of one. */
export function mergedStanding(parts: readonly StandingPart[], told: Told): ResultSoFar {
  const { runId, startedMs, durationMs, toldMs, ...coordinated } = told;
  const { plan, environment } = coordinated;
  const latencies = new RunLatencies();
  const window = new ThroughputWindow(plan);
  const ofEach = new OrchestrationFigures(plan);
  for (const part of parts) {
    latencies.absorb(part.latencies);
    window.absorb(part.window);
    ofEach.absorb(part);
  }
  const counted = parts.map(({ counts, accepted }) => ({ counts, tally: { accepted, neverSent: 0 } }));
  const counts = mergedCounts(counted, coordinated, undefined);
  const censored = censoredOf(counts);
  const throughput = window.throughput(toldMs, false);
  const health = parts.map(({ generator }) => generator);
  const hasResponse = plan.load?.kind !== "closed";
  const measured = {
    schemaVersion: 1 as const,
    runId,
    startedAt: new Date(startedMs).toISOString(),
    durationMs,
    interrupted: false,
    plan,
    environment,
    counts,
    ...(throughput && { throughput }),
    latencyMs: latencies.summariesNoticed(censored, { hasResponse }),
    leastLatencyMs: latencies.summariesLeast(censored, { hasResponse }),
    ...ofEach.soFar(),
    generator: mergedHealth(plan, health, latencies, censored),
  };
  return { ...measured, verdict: mergedVerdict(parts, measured) };
}
