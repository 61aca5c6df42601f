import { expect, test } from "vitest";
import { resolveConnection } from "../../../src/backend/connection-string.js";
import { readServedPlan } from "../../../src/commands/served-plan.js";
import type { PlanKey } from "../../../src/plan/plan-file-keys.js";

const KEYS: readonly PlanKey[] = [
  { name: "orchestrator", kind: "value", description: "" },
  { name: "input", kind: "value", description: "" },
  { name: "orchestrations", kind: "mix", description: "" },
  { name: "html", kind: "value", description: "" },
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
