import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withoutEscapes } from "../../../src/format/one-line.js";
import { resultsJunit } from "../../../src/report/junit.js";
import type { RunResult } from "../../../src/result/run-result.js";
import { incompleteResult, resultSaying } from "../../support/report/incomplete-result.js";
import { openLoadResult } from "../../support/report/open-load-result.js";
import { sampleResult } from "../../support/report/sample-result.js";

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
}

const TOKEN =
  /<(?<close>\/)?(?<name>[a-z]+)(?<attributes>(?: [a-z]+="[^<"]*")*)(?<empty>\/)?>|(?<text>(?:[^<&>]|&[^;&]*;)+)/uy;
const ILLEGAL = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

/** The elements of a document in the order in which they end; throws where it is not well-formed. Strict, for it reads no more XML than we write. */
function parseXml(xml: string): readonly Element[] {
  const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';
  if (!xml.startsWith(declaration)) throw new Error("Expected an XML declaration");
  if (ILLEGAL.test(xml)) throw new Error(`Expected no character that XML cannot hold, found ${ILLEGAL.exec(xml)?.[0]}`);
  const ended: Element[] = [];
  const open: { name: string; attributes: Record<string, string>; text: string }[] = [];
  TOKEN.lastIndex = declaration.length;
  while (TOKEN.lastIndex < xml.length) {
    const at = TOKEN.lastIndex;
    const groups = TOKEN.exec(xml)?.groups;
    if (!groups) throw new Error(`Expected markup or text, found ${JSON.stringify(xml.slice(at, at + 60))}`);
    const { close, name = "", attributes = "", empty, text } = groups;
    if (text !== undefined) {
      const parent = open.at(-1);
      if (parent) parent.text += unescape(text);
      else if (text.trim() !== "") throw new Error("Expected no text outside the root");
      continue;
    }
    if (!close) open.push({ name, attributes: attributesOf(attributes), text: "" });
    if (close ?? empty) {
      const element = open.pop();
      if (element?.name !== name) throw new Error(`Expected </${element?.name}>, found </${name}>`);
      ended.push(element);
    }
  }
  if (open.length > 0) throw new Error(`Expected </${open.at(-1)?.name}>, found the end`);
  return ended;
}

function attributesOf(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/ ([a-z]+)="([^"]*)"/gu)].map(([, name, value]) => [name!, unescape(value!)]),
  );
}

function unescape(text: string): string {
  return text.replaceAll(/&([^;]*);?/gu, (reference, body: string) => {
    if (!/^#\d+$/u.test(body)) throw new Error(`Expected a numeric reference, found ${reference}`);
    const character = String.fromCodePoint(Number(body.slice(1)));
    if (ILLEGAL.test(character)) throw new Error(`Expected a character that XML can hold, found ${reference}`);
    return character;
  });
}

function elementsOf(result: RunResult) {
  const elements = parseXml(resultsJunit([result]));
  const named = (name: string) => elements.filter((element) => element.name === name);
  const properties = named("property").map(({ attributes }): [string, string] => [
    attributes["name"]!,
    attributes["value"]!,
  ]);
  return { named, properties: Object.fromEntries(properties) };
}

describe("a result as JUnit XML", () => {
  test("is one suite whose cases pass where all went well", () => {
    const { named, properties } = elementsOf(sampleResult);
    expect(named("testsuite").map(({ attributes }) => attributes)).toEqual([
      {
        name: "fanout run r0123456789ab",
        tests: "2",
        failures: "0",
        errors: "0",
        skipped: "0",
        time: "12.345",
        timestamp: "2030-01-02T03:04:05.678Z",
      },
    ]);
    expect(named("testcase").map(({ attributes }) => attributes["name"])).toEqual([
      "every orchestration completed",
      "every activity accounted for",
    ]);
    expect(named("failure")).toEqual([]);
    expect(properties).toMatchObject({ "throughput.activitiesPerSecond": "1626", "latencyMs.response.p90": "11000" });
    expect(properties).not.toHaveProperty(["latencyMs.response.p99"]);
  });

  test("has a failure that says what did not complete, and why", () => {
    const { named } = elementsOf(incompleteResult);
    expect(named("testsuites")[0]?.attributes).toMatchObject({ tests: "5", failures: "4" });
    const [orchestrations, activities, ...thresholds] = named("failure");
    expect(orchestrations?.attributes["message"]).toBe(
      "Interrupted: 120 of 200 orchestrations completed in 12.3 s, 20 never started: " +
        "12 failed, 1 terminated, 47 unfinished",
    );
    expect(orchestrations?.text.split("\n")).toEqual([
      "r0123456789ab-00007  FanInError: lost | <b>0</b>\r",
      "& `3`",
      "r0123456789ab-00008  Running",
      "r0123456789ab-00009  Pending",
      "r0123456789ab-00010  Unknown",
    ]);
    expect(activities?.attributes["message"]).toBe("expected 20,000 activities, found 13,000 completed");
    expect(thresholds.map(({ attributes }) => attributes["message"])).toEqual([
      "missed p99<500ms: 612 ms",
      "missed p999<1s: not judged, the run was interrupted",
    ]);
  });

  test("skips the activities of an unknown orchestration", () => {
    const { orchestrations, rpcErrors } = sampleResult.counts;
    const plan = { parallelOrchestrations: 200, orchestrator: "Order", workers: 0, timeoutMs: 600_000 };
    const { named } = elementsOf({ ...sampleResult, plan, counts: { orchestrations, rpcErrors } });
    expect(named("testsuite")[0]?.attributes).toMatchObject({ tests: "2", failures: "0", skipped: "1" });
    expect(named("skipped")[0]?.attributes).toEqual({ message: "the activities of Order are not known" });
  });

  const reasons = [
    { severity: "suspect", name: "cpu", text: "busy", advice: "less" },
    { severity: "invalid", name: "slip", text: "late", advice: "fewer" },
    { severity: "invalid", name: "clock", text: "set", advice: "leave it" },
  ] as const;
  test("fails an invalid run with each reason, and passes a suspect one", () => {
    const { named } = elementsOf({ ...sampleResult, verdict: { status: "invalid", reasons } });
    expect(named("testcase").map(({ attributes }) => attributes["name"])).toContain("the measurement is valid");
    expect(named("failure")).toMatchObject([
      { attributes: { message: "late; set" }, text: "late: fewer\nset: leave it" },
    ]);
    expect(elementsOf({ ...sampleResult, verdict: { status: "suspect", reasons } }).named("failure")).toEqual([]);
  });

  const recount = { instances: 200, byStatus: {}, unexpected: { total: 0, first: [] } };
  test.each<readonly [string, RunResult["recount"], object]>([
    ["failure", { ...recount, lost: { total: 2, first: ["i-1", "i-2"] } }, { text: "i-1\ni-2" }],
    [
      "skipped",
      { unknown: "no answer" },
      { attributes: { message: "the instances were not counted again: no answer" } },
    ],
  ])("has a %s where orchestrations were lost or may have been", (element, found, expected) => {
    const { named } = elementsOf({ ...sampleResult, recount: found! });
    expect(named("testcase").map(({ attributes }) => attributes["name"])).toContain("no orchestration was lost");
    expect(named(element)).toMatchObject([expected]);
  });

  test("has a run over time in its properties", () => {
    const { named, properties } = elementsOf(openLoadResult);
    expect(named("testsuite")[0]?.attributes).toMatchObject({ tests: "6", failures: "3" });
    expect(properties).toMatchObject({ stalls: "1", "verdict.status": "suspect", "recount.lost.total": "0" });
  });

  test.each([
    ["red \u001B[31mstop\u001B[0m", "red stop"],
    ["\u001B]0;title\u0007a \u001B]8;;http://evil.example\u001B\\link", "a link"],
    ["\u009B2Jforged\u202Eback\u2069", "forgedback"],
    ["two\r\nlines", "two\r\nlines"],
  ])("has nothing of the escape sequences in %j", (said, shown) => {
    const { properties, named } = elementsOf(resultSaying(said));
    expect(properties["environment.taskHub"]).toBe(shown);
    expect(named("failure")[0]?.text.trim()).toBe(`${shown}  ${shown}: ${shown}\n${shown}  ${shown}`);
  });

  test("is well-formed and keeps any text of the backend", () => {
    const units = fc.oneof(
      fc.constantFrom(...Array.from(`<>&"'\n\r\t]]>\u0000\u001B\uFFFF\uD800\u{1F600}`)),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(fc.array(units), (parts) => {
        const text = parts.join("");
        const legal = withoutEscapes(text).replaceAll(new RegExp(ILLEGAL, "gu"), "");
        const { properties, named } = elementsOf(resultSaying(text));
        expect(properties["environment.taskHub"]).toBe(legal);
        expect(named("failure")[0]?.text.trim()).toBe(`${legal}  ${legal}: ${legal}\n${legal}  ${legal}`.trim());
      }),
    );
  });
});
