import type { z } from "zod";
import type * as breakdown from "./breakdown-schema.js";
import type * as comparison from "./comparison-schema.js";
import type * as counted from "./counts-schema.js";
import type * as course from "./course-schema.js";
import type * as environment from "./environment-schema.js";
import type * as generator from "./generator-schema.js";
import type { ValueOf } from "./json-field.js";
import type * as latency from "./latency-schema.js";
import type { listed } from "./measured-field.js";
import type * as orchestration from "./orchestration-schema.js";
import type * as plan from "./plan-schema.js";
import type * as tally from "./tally-schema.js";
import type { judgedThreshold, resultSchema } from "./result-schema.js";

// The types of a result and its parts. What a field means is said in the schema of the part.

export type RunResult = ValueOf<typeof resultSchema>;

export type ResultPlan = ValueOf<typeof plan.resultPlan>;

export type ResultEnvironment = ValueOf<typeof environment.environment>;
export type BackendDurability = ValueOf<typeof environment.durability>;
export type HubSurvey = ValueOf<typeof environment.hubSurvey>;
export type ForeignWork = ValueOf<typeof environment.foreignWork>;

export type ResultCounts = ValueOf<typeof counted.counts>;
export type MeasuredStarts = ValueOf<typeof counted.measuredStarts>;
export type Recount = ValueOf<typeof counted.recount>;
export type FailedInstance = ValueOf<typeof counted.failedInstance>;
export type StuckInstance = ValueOf<typeof counted.stuckInstance>;
export type Listed<T> = ValueOf<ReturnType<typeof listed<z.ZodType<T>>>>;

export type LatencySummary = ValueOf<typeof latency.latency>;
export type CrossingSummary = ValueOf<typeof latency.crossing>;
export type IntervalLatency = ValueOf<typeof latency.intervalLatency>;
export type EncodedHistogram = ValueOf<typeof latency.histogram>;

export type OrchestrationResult = ValueOf<typeof orchestration.orchestrationResult>;

export type Throughput = ValueOf<typeof course.throughput>;
export type Phase = ValueOf<typeof course.phase>;
export type Interval = ValueOf<typeof course.interval>;
export type Stall = ValueOf<typeof course.stall>;
export type Outage = ValueOf<typeof course.outage>;

export type GeneratorHealth = ValueOf<typeof generator.generator>;
export type LatencyShares = ValueOf<typeof generator.latencyShares>;
export type ClockOffset = ValueOf<typeof generator.clock>;
export type Concurrency = ValueOf<typeof generator.concurrency>;
export type Verdict = ValueOf<typeof generator.verdict>;
export type VerdictReason = ValueOf<typeof generator.verdictReason>;

export type Breakdown = ValueOf<typeof breakdown.breakdown>;
export type FanIn = ValueOf<typeof breakdown.fanIn>;
export type BreakdownExample = ValueOf<typeof breakdown.breakdownExample>;
export type Stragglers = NonNullable<FanIn["stragglers"]>;
export type Growth = ValueOf<typeof breakdown.growth>;
export type WorkerPause = ValueOf<typeof breakdown.workerPause>;
export type TracedWorker = ValueOf<typeof breakdown.tracedWorker>;
export type PhaseTime = ValueOf<typeof breakdown.phaseTime>;
export type { BreakdownPhase } from "./breakdown-schema.js";

export type RunTally = ValueOf<typeof tally.runTally>;
export type DurationTally = ValueOf<typeof tally.durationTally>;
export type CrossingTally = ValueOf<typeof tally.crossingTally>;
export type DriftTally = ValueOf<typeof tally.driftTally>;
export type LatenciesTally = ValueOf<typeof tally.latenciesTally>;
export type WindowTally = ValueOf<typeof tally.windowTally>;
export type PhaseTally = ValueOf<typeof tally.phaseTally>;
export type SeriesTally = ValueOf<typeof tally.seriesTally>;
export type GrowthTally = ValueOf<typeof tally.growthTally>;
export type MomentsTally = ValueOf<typeof tally.momentsTally>;
export type BreakdownTally = ValueOf<typeof tally.breakdownTally>;
export type IntervalTallied = ValueOf<typeof tally.intervalTally>;

export type JudgedThreshold = ValueOf<typeof judgedThreshold>;

export type Comparison = ValueOf<typeof comparison.comparisonSchema>;
export type Caveat = ValueOf<typeof comparison.caveat>;
export type ComparedFigure = ValueOf<typeof comparison.comparedFigure>;
export type Difference = ValueOf<typeof comparison.difference>;
export type Finding = ComparedFigure["finding"];
export type MovedPhases = ValueOf<typeof comparison.movedPhases>;
export type LeftOutFigure = ValueOf<typeof comparison.leftOutFigure>;
export type SideNames = ValueOf<typeof comparison.sideNames>;
export type UnusableRun = ValueOf<typeof comparison.unusableRun>;
export type { Plain } from "./json-field.js";
