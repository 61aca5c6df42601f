import { expect, test } from "vitest";
import { resolveConnection } from "../../../src/backend/connection-string.js";
import { readServedPlan } from "../../../src/commands/served-plan.js";
import type { PlanKey } from "../../../src/plan/plan-file-keys.js";

const KEYS: readonly PlanKey[] = [
  { name: "orchestrator", kind: "value", description: "", group: "" },
  { name: "input", kind: "value", description: "", group: "" },
  { name: "orchestrations", kind: "mix", description: "", group: "" },
  { name: "html", kind: "value", description: "", group: "" },
  { name: "leave", kind: "switch", description: "", group: "" },
  { name: "label", kind: "list", description: "", group: "" },
];
const DEFAULTS = { iterations: "10", parallelActivities: "5", workers: "auto", timeout: "10m" };
const connection = resolveConnection({ flag: "UseDevelopmentStorage=true" });

function flagsOf(body: Readonly<Record<string, unknown>>) {
  return readServedPlan(body, { keys: KEYS, defaults: DEFAULTS, connection }).flags;
}

test.each(["@/etc/passwd", "@orders.jsonl", { a: 1 }, [1, "@x"], null, 7, ""])(
  "the input %j is JSON, and no file of the server is read for it",
  (input) => {
    expect(flagsOf({ orchestrator: "A", input })["input"]).toBe(JSON.stringify(input));
    const mixed = flagsOf({ orchestrations: [{ orchestrator: "A", weight: 2, input }] });
    expect(mixed["orchestrations"]).toEqual([{ orchestrator: "A", weight: "2", input: JSON.stringify(input) }]);
  },
);

test("all keys that are wrong are named at once", () => {
  expect(() => flagsOf({ html: "x", colour: 1, orchestrator: [] })).toThrow(
    /orchestrator: expected text[^]*html: not over HTTP: [^]*colour: unknown key/u,
  );
});

test("a plan of more actions than a number holds exactly is refused", () => {
  const names = ["rate", "duration", "parallelActivities", "retries", "failureRate"];
  const keys = names.map((name) => ({ ...KEYS[0]!, name }));
  const plan = { rate: "100000/s", parallelActivities: 100_000, retries: 100, failureRate: "1%" };
  const read = (duration: string) => () =>
    readServedPlan({ ...plan, duration }, { keys, defaults: DEFAULTS, connection });
  expect(read("1s")().mostActions).toBeGreaterThan(1_000_000_000);
  expect(read("15m")).toThrow(
    /^maxActions: expected a plan of at most 9,007,199,254,740,991 actions, found one of more/u,
  );
});

test("a plan cannot leave orchestrations running, and its orchestrations have no order of inputs", () => {
  expect(() => flagsOf({ leave: true })).toThrow(/^leave: not over HTTP: /u);
  const mix = [{ orchestrator: "A", weight: 1, inputOrder: "random" }];
  expect(() => flagsOf({ orchestrations: mix })).toThrow(/^orchestrations\.0\.inputOrder: not over HTTP: /u);
  // It is no field of a mix, whatever the plan has.
  expect(() => flagsOf({ orchestrations: [{ orchestrator: "A", weight: 1, html: "x" }] })).toThrow(
    /^orchestrations\.0\.html: unknown key/u,
  );
});

function errorOf(body: Readonly<Record<string, unknown>>): unknown {
  try {
    return flagsOf(body);
  } catch (error) {
    return error;
  }
}

test.each([
  ["keys", Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`key${index}`, 1]))],
  ["values", { orchestrations: Array.from({ length: 50_000 }, () => 1) }],
])("of many wrong %s the first are told, and how many more there are", (_, body) => {
  expect(errorOf(body)).toMatchObject({
    more: { length: 20 },
    message: expect.stringMatching(/The plan has 49,980 more errors\.$/u),
  });
});

test("of many wrong values of one flag the first are told", () => {
  expect(errorOf({ label: Array.from({ length: 50_000 }, () => "wrong") })).toMatchObject({ more: { length: 99 } });
});
