import { withoutEscapes } from "../format/one-line.js";

/** A requirement, and whether it was met. */
export interface TestCase {
  readonly name: string;
  readonly failure?: { readonly message: string; readonly details: readonly string[] };
  /** Why it could not be judged. */
  readonly skipped?: string;
}

export interface TestSuite {
  readonly name: string;
  /** Absent if it took no time of its own. */
  readonly durationMs?: number;
  /** ISO-8601 in UTC. */
  readonly timestamp?: string;
  readonly properties: readonly (readonly [name: string, value: string | number | boolean])[];
  readonly cases: readonly TestCase[];
}

/** Characters that XML 1.0 cannot hold, not even escaped. */
const NO_XML = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;
/** White space is escaped too. A parser would turn it into spaces in an attribute, and CR into LF anywhere. */
const ESCAPED = /[&<>"'\t\n\r]/gu;

/** Suites as one document of JUnit XML, with a final newline. */
export function junitXml(suites: readonly TestSuite[]): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: "fanout", ...totalsOf(suites) })}>`,
    ...suites.flatMap(suiteLines),
    "</testsuites>",
    "",
  ].join("\n");
}

function suiteLines(suite: TestSuite): readonly string[] {
  const { name, timestamp, properties, cases, durationMs = 0 } = suite;
  const head = { name, ...totalsOf([suite]), ...(timestamp !== undefined && { timestamp }) };
  return [
    `  <testsuite${attributes(head)}>`,
    "    <properties>",
    ...properties.map(([name, value]) => `      <property${attributes({ name, value })}/>`),
    "    </properties>",
    ...cases.map((testCase) => caseXml(testCase, secondsOf(durationMs))),
    "  </testsuite>",
  ];
}

function totalsOf(suites: readonly TestSuite[]) {
  const cases = suites.flatMap(({ cases }) => cases);
  return {
    tests: cases.length,
    failures: cases.filter(({ failure }) => failure).length,
    errors: 0,
    skipped: cases.filter(({ skipped }) => skipped !== undefined).length,
    time: secondsOf(suites.reduce((sum, { durationMs = 0 }) => sum + durationMs, 0)),
  };
}

function secondsOf(ms: number): string {
  return (ms / 1_000).toFixed(3);
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
  return withoutEscapes(text)
    .replaceAll(NO_XML, "")
    .replaceAll(ESCAPED, (character) => `&#${character.charCodeAt(0)};`);
}
