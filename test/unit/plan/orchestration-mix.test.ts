import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { withRunFlags } from "../../../src/commands/run-flags.js";
import { orchestrationOf } from "../../../src/plan/orchestration-of.js";
import { withAllInputValues, withoutInputValues } from "../../../src/plan/orchestration-mix.js";
import { planFileText } from "../../../src/plan/plan-file.js";
import { parsePlan, resultPlanOf, type LoadPlan } from "../../../src/plan/plan.js";
import { placeInMix } from "../../../src/result/mix.js";
import { runKeys } from "../../support/plan/run-keys.js";

const DEFAULTS = { iterations: "1", parallelActivities: "1", workers: "auto", timeout: "10m" };
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fanout-mix-"));
  await writeFile(join(folder, "orders.jsonl"), '{"id":1}\n{"id":2}\n');
});

afterAll(() => rm(folder, { recursive: true }));

/** The plan of a file, and the file that `--print-plan` would write. */
async function read(text: string): Promise<{ readonly plan: LoadPlan; readonly written: string }> {
  const file = join(folder, "plan.yaml");
  await writeFile(file, text.replaceAll("FOLDER", folder));
  const line = { flags: { ...DEFAULTS, plan: file }, given: new Set(["plan"]), keys: runKeys() };
  return withRunFlags(line, async ({ flags, given, keys }) => {
    return { plan: parsePlan(flags), written: planFileText(given, keys) };
  });
}

const MIX = `
seed: 3
instanceVersion: 1.0
tag: [team=shop]
orchestrations:
  - { orchestrator: Order, weight: 2.5, input: "@FOLDER/orders.jsonl", inputOrder: random, instanceVersion: 2.10 }
  - orchestrator: Refund
    weight: 1
    input: { id: 7 }
  - { orchestrator: Ping, weight: 0.5 }
`;

describe("a plan file with orchestrations", () => {
  test("decides the name, the version, the tags and the input of each start", async () => {
    const { plan } = await read(MIX);
    const { startOf, activities } = orchestrationOf(plan);
    expect(activities).toBeUndefined();
    const starts = Array.from({ length: 200 }, (_, sequence) => startOf(sequence, true));
    const tags = { team: "shop" };
    for (const [sequence, start] of starts.entries()) {
      const place = placeInMix(plan.orchestrations!, sequence, 3);
      const { input, ...others } = start;
      expect(others).toEqual(
        [
          { name: "Order", version: "2.10", tags },
          { name: "Refund", version: "1.0", tags },
          { name: "Ping", version: "1.0", tags },
        ][place],
      );
      if (place === 0) expect([{ id: 1 }, { id: 2 }]).toContainEqual(input);
      else expect(input).toEqual(place === 1 ? { id: 7 } : undefined);
    }
    expect(new Set(starts.map(({ name }) => name)).size).toBe(3);
  });

  test("tells a result its mix, and no input", async () => {
    const { plan } = await read(MIX);
    const told = resultPlanOf(plan);
    expect(told.orchestrations).toEqual([
      {
        orchestrator: "Order",
        weight: 2.5,
        instanceVersion: "2.10",
        inputs: { file: "orders.jsonl", lines: 2, order: "random", sha256: expect.any(String) as string },
      },
      { orchestrator: "Refund", weight: 1 },
      { orchestrator: "Ping", weight: 0.5 },
    ]);
    expect(told).not.toHaveProperty("iterations");
  });

  test("goes to another process without inputs, which reads them again", async () => {
    const { plan } = await read(MIX);
    const sent = withoutInputValues(plan);
    expect(JSON.stringify(sent)).not.toContain('{"id":1}');
    expect(withAllInputValues(sent)).toEqual(plan);
  });

  test("is written so that it reads as the same plan", async () => {
    const { plan, written } = await read(MIX);
    const again = await read(written.replace(/^plan:.*\n/mu, ""));
    expect(again.plan).toEqual(plan);
  });

  const ORDER = "orchestrations:\n- orchestrator: Order\n  weight: ";
  test.each([
    ["orchestrations: Order", ":1: orchestrations: expected a list of orchestrations"],
    ["orchestrations: []", ":1: orchestrations: expected 1 to 50 orchestrations, found 0"],
    ["orchestrations:\n- Order", ":2: orchestrations: expected "],
    ["rate: 1/s\norchestrations:\n- weight: 1", ":3: orchestrator: expected the name of an orchestration"],
    ["orchestrations:\n\n- orchestrator: ''\n  weight: 1", ":3: orchestrator: expected a name, found nothing"],
    ["orchestrations:\n- orchestrator: Order", ":2: weight: expected a number above 0, such as 3"],
    [`${ORDER}0`, ':3: weight: expected a number above 0, found "0"'],
    [`${ORDER}-1`, ':3: weight: expected a number above 0, found "-1"'],
    [`${ORDER}1/2`, ':3: weight: expected a number above 0, found "1/2"'],
    [`${ORDER}.nan`, ":3: weight: expected a number above 0, found"],
    [
      `${ORDER}1\n  wieght: 2`,
      ":4: orchestrations: there is no field wieght; the fields are orchestrator, weight, input",
    ],
    [`${ORDER}1\n  tag: [a=1]`, ":4: orchestrations: there is no field tag; the fields are "],
    [`${ORDER}1\n- orchestrator: Order\n  weight: 2`, ":4: orchestrator: expected each name once, found Order again"],
    [`${ORDER}1\n  input: "{"`, ":4: input: expected JSON or @FILE"],
    [`${ORDER}1\n  input: "@none.jsonl"`, ":4: input: the file cannot be read: ENOENT"],
    [`${ORDER}1\n  input: 12345678901234567890`, ":1: orchestrations: 12345678901234567890 has more digits"],
    [`${ORDER}1\n  inputOrder: cycle`, ":4: inputOrder: expected "],
    [`${ORDER}1\n  input: "@FOLDER/orders.jsonl"\n  inputOrder: once`, ":5: inputOrder: expected cycle or random"],
    [`${ORDER}1\n  instanceVersion: ""`, ":4: instanceVersion: expected a version"],
    [`${ORDER}1\norchestrator: Other`, ":4: orchestrator: expected it without orchestrations"],
    [`${ORDER}1\ninput: 7`, ":4: input: expected it without orchestrations"],
    [`${ORDER}1\ninputOrder: cycle`, ":4: inputOrder: expected it without orchestrations"],
  ])("with %j is refused by file and line", async (text, message) => {
    await expect(read(text)).rejects.toThrow(`plan.yaml${message}`);
  });
});
