import { formatCount, plural } from "../format/count.js";
import type { JudgedThreshold, RunResult } from "../stats/run-result.js";
import { flatResult } from "./flat-result.js";
import { notCompletedText, outcomeOf, outcomeText } from "./outcome.js";
import { foundText } from "./threshold-text.js";

interface TestCase {
  readonly name: string;
  readonly failure?: { readonly message: string; readonly details: readonly string[] };
  /** Why it could not be judged. */
  readonly skipped?: string;
}

/** What XML 1.0 has no way to hold, not even escaped; a lone surrogate is one of them. */
const NO_XML = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;
/** White space is escaped too: a parser would turn it into spaces in an attribute, and CR into LF anywhere. */
const ESCAPED = /[&<>"'\t\n\r]/gu;

/** A run as one suite of JUnit XML: what had to hold, and the figures as its properties. */
export function resultJunit(result: RunResult): string {
  const cases = [
    orchestrationsCase(result),
    activitiesCase(result),
    ...recountCase(result),
    ...verdictCase(result),
    ...(result.thresholds ?? []).map(thresholdCase),
  ];
  const failures = cases.filter(({ failure }) => failure).length;
  const skipped = cases.filter((testCase) => testCase.skipped !== undefined).length;
  const seconds = (result.durationMs / 1_000).toFixed(3);
  const totals = { tests: cases.length, failures, errors: 0, skipped, time: seconds };
  const suite = { name: `fanout run ${result.runId}`, ...totals, timestamp: result.startedAt };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: "fanout", ...totals })}>`,
    `  <testsuite${attributes(suite)}>`,
    "    <properties>",
    ...flatResult(result).flatMap(([name, value]) =>
      value === undefined ? [] : [`      <property${attributes({ name, value })}/>`],
    ),
    "    </properties>",
    ...cases.map((testCase) => caseXml(testCase, seconds)),
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
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

function activitiesCase({ counts, plan }: RunResult): TestCase {
  const name = "every activity accounted for";
  if (!counts.activities)
    return { name, skipped: `what ${plan.orchestrator ?? "the orchestration"} does is not known` };
  const { needed, completed } = counts.activities;
  if (completed === needed) return { name };
  const message = `expected ${formatCount(needed)} activities, found ${formatCount(completed)} completed`;
  return { name, failure: { message, details: [] } };
}

function recountCase({ recount }: RunResult): readonly TestCase[] {
  if (!recount) return [];
  const name = "no orchestration was lost";
  if ("unknown" in recount) return [{ name, skipped: `the backend was not asked again: ${recount.unknown}` }];
  const { lost } = recount;
  if (lost.total === 0) return [{ name }];
  return [{ name, failure: { message: `${plural(lost.total, "orchestration")} lost`, details: lost.first } }];
}

/** What is suspect does not fail: its reasons are among the properties. */
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

function caseXml({ name, failure, skipped }: TestCase, time: string): string {
  const start = `    <testcase${attributes({ classname: "fanout", name, time })}`;
  if (failure) {
    const { message, details } = failure;
    const body = details.map((line) => escapeXml(line)).join("\n");
    return `${start}>\n      <failure${attributes({ type: "failure", message })}>${body}</failure>\n    </testcase>`;
  }
  if (skipped === undefined) return `${start}/>`;
  return `${start}>\n      <skipped${attributes({ message: skipped })}/>\n    </testcase>`;
}

function attributes(values: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value))}"`)
    .join("");
}

function escapeXml(text: string): string {
  return text.replaceAll(NO_XML, "").replaceAll(ESCAPED, (character) => `&#${character.charCodeAt(0)};`);
}
