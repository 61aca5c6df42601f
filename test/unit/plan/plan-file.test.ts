import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { parse } from "yaml";
import { beforeAll, afterAll, describe, expect, test } from "vitest";
import { UsageError } from "../../../src/errors.js";
import { planFileText, readPlanFile } from "../../../src/plan/plan-file.js";
import { runKeys } from "../../support/plan/run-keys.js";
import { PLAN_SCHEMA, schemaErrors } from "../../support/report/published-schema.js";

const KEYS = runKeys();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fanout-plan-"));
});

afterAll(() => rm(folder, { recursive: true }));

async function read(text: string, name = "plan.yaml") {
  const file = join(folder, name);
  await writeFile(file, text);
  return readPlanFile(file, KEYS);
}

describe("a plan file", () => {
  test.each<[string, object]>([
    ["rate: 50/s\nduration: 1m", { rate: "50/s", duration: "1m" }],
    ["iterations: 10\nfailureRate: 1%\nretries: 0", { iterations: "10", failureRate: "1%", retries: "0" }],
    ["instanceVersion: 1.10\nseed: 007", { instanceVersion: "1.10", seed: "007" }],
    ["quiet: true\npurge: false", { quiet: true }],
    ["json: true", { json: true }],
    ["json: r.json", { json: "r.json" }],
    ["threshold: [p99<2s, 'errors<1%']\ntag:\n- a=1", { threshold: ["p99<2s", "errors<1%"], tag: ["a=1"] }],
    ["input: {id: 7, lines: [1.5, null]}", { input: '{"id":7,"lines":[1.5,null]}' }],
    ["input: '@orders.csv'", { input: "@orders.csv" }],
    ["input: 7", { input: "7" }],
    ["input:", { input: "null" }],
    ["label: &l [a=1]\ntag: *l", { label: ["a=1"], tag: ["a=1"] }],
    ["startAt: 2030-01-02T03:04:05Z", { startAt: "2030-01-02T03:04:05Z" }],
    ["# nothing yet\n{}", {}],
  ])("with %j gives the flags of it", async (text, flags) => {
    expect((await read(text)).flags).toEqual(flags);
    expect(schemaErrors(parse(text), PLAN_SCHEMA)).toEqual([]);
  });

  test("may be JSON, also with tabs", async () => {
    const text = JSON.stringify({ rate: "50/s", iterations: 10, input: { id: 7 }, tag: ["a=1"] }, undefined, "\t");
    const { flags, placeOf } = await read(text, "plan.json");
    expect(flags).toEqual({ rate: "50/s", iterations: "10", input: '{"id":7}', tag: ["a=1"] });
    expect(placeOf("iterations")).toBe(`${join(folder, "plan.json")}:3`);
    expect(placeOf("seed")).toBeUndefined();
  });

  test("is refused if it is larger than any plan", async () => {
    const error: unknown = await read(`# ${"x".repeat(300_000)}`).catch((problem: unknown) => problem);
    expect((error as UsageError).message).toBe("--plan: the file cannot be read: it has 300 kB, more than any plan");
  });

  test.each([
    ["rate: 50/s\nrtae: 5", ":2: there is no flag rtae"],
    ["parallel-activities: 5", ":1: there is no flag parallel-activities; did you mean parallelActivities?"],
    ["plan: other.yaml", ":1: there is no flag plan"],
    ["rate: 50/s\n\nduration: [1m]", ":3: duration: expected text or a number"],
    ["duration:", ":1: duration: expected text or a number"],
    ["quiet: 1", ":1: quiet: expected true or false"],
    ["threshold: p99<2s", ":1: threshold: expected a list of texts"],
    ["json: false", ":1: json: expected a value, or true for the flag without one"],
    ["rate: 1/s\nrate: 2/s", ":2: Map keys must be unique"],
    ["rate: 1/s\n  duration: 1m", ":1: Nested mappings are not allowed in compact mappings"],
    ["rate: !env RATE", ":1: Unresolved tag: !env"],
    ["rate: *none", ":1: rate: the alias has no anchor before it"],
    ["input: [*none]", ":1: input: Unresolved alias"],
    ["\ninput: &loop [*loop]", ":2: input: Converting circular structure to JSON"],
    ["label: [a=1, [b=2]]", ":1: label: expected text or a number"],
    ["label: &loop [*loop]", ":1: label: expected text or a number"],
    [`input: ${"[".repeat(20_000)}`, ":1: "],
    [
      "rate: 1/s\n? {connectionString: SecretKey=s}\n: 1",
      ":2: expected the name of a flag, found a key of another kind",
    ],
    ["input: 12345678901234567890", ":1: input: 12345678901234567890 has more digits than a number keeps"],
    ["input: {id: [12345678901234567890]}", ":1: input: 12345678901234567890 has more digits than a number keeps"],
    ["- rate", ": expected flags and their values, such as rate: 50/s"],
    ["", ": expected flags and their values, such as rate: 50/s"],
  ])("with %j is refused by its line", async (text, message) => {
    const error: unknown = await read(text).catch((problem: unknown) => problem);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).toContain(`plan.yaml${message}`);
  });

  test("names all wrong keys at once", async () => {
    await expect(read("a: 1\nquiet: 1\nb: 2")).rejects.toThrow(/:2: quiet.*\n.*:1: there is no flag a\n.*:3: .* b/u);
  });

  test("that is missing is refused", () => {
    expect(() => readPlanFile("/nowhere/plan.yaml", KEYS)).toThrow("--plan: the file cannot be read: ENOENT");
  });

  test("is written so that it reads as the same flags", async () => {
    const text = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.constantFrom("50/s", "010", "1.10", "true", "null", "@a"),
    );
    const mix = fc.array(
      fc.record({ orchestrator: text, weight: text, input: text }, { requiredKeys: ["orchestrator", "weight"] }),
    );
    const valueOf = { mix, value: text, list: fc.array(text), switch: fc.constant(true), "optional-value": text };
    const flags = fc.record(Object.fromEntries(KEYS.map(({ name, kind }) => [name, valueOf[kind]])), {
      requiredKeys: [],
    });
    const check = fc.asyncProperty(flags, async ({ connectionString: _secret, ...given }) => {
      const written = planFileText({ ...given, connectionString: "Endpoint=x", plan: "old.yaml" }, KEYS);
      expect((await read(written)).flags).toEqual(given);
      expect(schemaErrors(parse(written), PLAN_SCHEMA)).toEqual([]);
    });
    await fc.assert(check, { numRuns: 50 });
  });
});
