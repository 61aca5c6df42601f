import { formatCount, plural } from "../format/count.js";
import type { JudgedThreshold, OrchestrationResult, RunResult } from "../result/run-result.js";
import { comparisonSuite } from "./comparison-junit.js";
import { flatResult } from "./flat-result.js";
import { junitXml, type TestCase, type TestSuite } from "./junit-xml.js";
import { notCompletedText, outcomeOf, outcomeText } from "./outcome.js";
import { foundText } from "./threshold-text.js";

/**
 * Runs as JUnit XML, with a suite for each: its requirements, and its figures as properties. A comparison with a
 * baseline is a suite of its own.
 */
export function resultsJunit(results: readonly RunResult[]): string {
  const comparisons = results.flatMap(({ comparison }) => comparison ?? []);
  return junitXml([...results.map(runSuite), ...comparisons.map(comparisonSuite)]);
}

function runSuite(result: RunResult): TestSuite {
  return {
    name: `fanout run ${result.runId}`,
    durationMs: result.durationMs,
    timestamp: result.startedAt,
    properties: flatResult(result).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    cases: [
      orchestrationsCase(result),
      ...(result.byOrchestration ?? []).map(orchestrationCase),
      activitiesCase(result),
      ...recountCase(result),
      ...verdictCase(result),
      ...(result.thresholds ?? []).map(thresholdCase),
    ],
  };
}

function orchestrationsCase(result: RunResult): TestCase {
  const name = "every orchestration completed";
  if (outcomeOf(result).word === "Completed") return { name };
  const notCompleted = notCompletedText(result);
  const message = outcomeText(result) + (notCompleted && `: ${notCompleted}`);
  const details = [
    ...(result.failures?.first ?? []).map(({ instanceId, type, message }) => `${instanceId}  ${type}: ${message}`),
    ...(result.stuck?.first ?? []).map(({ instanceId, status }) => `${instanceId}  ${status}`),
  ];
  return { name, failure: { message, details } };
}

/** One orchestration of a mix. */
function orchestrationCase({ orchestrator, counts }: OrchestrationResult): TestCase {
  const name = `every ${orchestrator} completed`;
  const { started, completed } = counts.orchestrations;
  if (completed === started) return { name };
  return { name, failure: { message: `${formatCount(completed)} of ${formatCount(started)} completed`, details: [] } };
}

function activitiesCase({ counts, plan }: RunResult): TestCase {
  const name = "every activity accounted for";
  const whose = plan.orchestrator ?? (plan.orchestrations === undefined ? "the orchestration" : "the orchestrations");
  if (!counts.activities) return { name, skipped: `the activities of ${whose} are not known` };
  const { needed, completed } = counts.activities;
  if (completed === needed) return { name };
  const message = `expected ${formatCount(needed)} activities, found ${formatCount(completed)} completed`;
  return { name, failure: { message, details: [] } };
}

function recountCase({ recount }: RunResult): readonly TestCase[] {
  if (!recount) return [];
  const name = "no orchestration was lost";
  if ("unknown" in recount) return [{ name, skipped: `the instances were not counted again: ${recount.unknown}` }];
  const { lost } = recount;
  if (lost.total === 0) return [{ name }];
  return [{ name, failure: { message: `${plural(lost.total, "orchestration")} lost`, details: lost.first } }];
}

/** A suspect run does not fail. Its reasons are among the properties. */
function verdictCase({ verdict }: RunResult): readonly TestCase[] {
  if (!verdict) return [];
  const name = "the measurement is valid";
  if (verdict.status !== "invalid") return [{ name }];
  const reasons = verdict.reasons.filter(({ severity }) => severity === "invalid");
  const message = reasons.map(({ text }) => text).join("; ");
  return [{ name, failure: { message, details: reasons.map(({ text, advice }) => `${text}: ${advice}`) } }];
}

function thresholdCase(threshold: JudgedThreshold): TestCase {
  const name = `threshold ${threshold.expression}`;
  if (threshold.passed) return { name };
  const found = [foundText(threshold), threshold.reason].filter((part) => part !== undefined).join(", ");
  return { name, failure: { message: `missed ${threshold.expression}: ${found}`, details: [] } };
}
