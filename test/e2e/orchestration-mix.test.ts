import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { OrchestrationContext, TaskHubGrpcClient } from "@microsoft/durabletask-js";
import { expect, test } from "vitest";
import { instanceIdOf } from "../../src/plan/run-id.js";
import { placeInMix } from "../../src/result/mix.js";
import { parseResult } from "../../src/result/read-result.js";
import { applicationIn } from "../support/e2e/application.js";
import { Workplace } from "../support/e2e/workplace.js";

function Order(_context: OrchestrationContext, order: unknown): unknown {
  return order;
}

function Refund(_context: OrchestrationContext, { id }: { id: number }): number {
  if (id === 13) throw new Error("nothing to refund");
  return id;
}

const MIX = [{ weight: 3 }, { weight: 1 }];
const STARTS = 80;
const PLAN = `
total: ${STARTS}
parallelOrchestrations: 10
allowInvalid: true
orchestrations:
  - orchestrator: Order
    weight: 3
    input: "@orders.jsonl"
  - orchestrator: Refund
    weight: 1
    input: { id: 7 }
    instanceVersion: 2.0
`;

async function placeWith(plan: string): Promise<Workplace> {
  const place = await Workplace.open();
  await writeFile(join(place.folder, "orders.jsonl"), '{"id": 1}\n{"id": 2}\n{"id": 3}\n');
  await writeFile(join(place.folder, "plan.yaml"), plan);
  return place;
}

async function resultIn(place: Workplace, file: string) {
  return parseResult(await readFile(join(place.folder, file), "utf8"), file);
}

/** The name, the version and the input of each instance of a run. */
async function instancesOf(client: TaskHubGrpcClient, runId: string) {
  const ids = Array.from({ length: STARTS }, (_, sequence) => instanceIdOf(runId, sequence));
  const states = await Promise.all(ids.map((id) => client.getOrchestrationState(id)));
  return states.map((state) => ({ name: state!.name, input: JSON.parse(state!.serializedInput!) as unknown }));
}

test("a plan mixes orchestrations by weight, and each has figures", async () => {
  const place = await placeWith(PLAN);
  const client = await applicationIn(place, [Order, Refund]);
  const thresholds = ["--threshold", "Order service p50<1m", "--threshold", '"Refund" errors<50%'];
  const { stdout } = await place.succeed("run --plan plan.yaml --run-id whole --json whole.json", ...thresholds);
  expect(stdout).toMatch(/^ {2}orchestration .*started/mu);

  const expected = Array.from({ length: STARTS }, (_, sequence) =>
    placeInMix(MIX, sequence) === 0
      ? { name: "Order", input: { id: 1 + (sequence % 3) } }
      : { name: "Refund", input: { id: 7 } },
  );
  expect(await instancesOf(client, "whole")).toEqual(expected);
  const whole = await resultIn(place, "whole.json");
  const [orders, refunds] = whole.byOrchestration!;
  expect(orders).toMatchObject({ orchestrator: "Order", counts: { orchestrations: { started: 60, completed: 60 } } });
  expect(refunds).toMatchObject({ orchestrator: "Refund", counts: { orchestrations: { started: 20, completed: 20 } } });
  const rates = whole.byOrchestration!.map(({ throughput }) => throughput!.orchestrationsPerSecond);
  expect(rates[0]! + rates[1]!).toBeCloseTo(whole.throughput!.orchestrationsPerSecond, 6);
  expect(whole.thresholds).toMatchObject([
    { expression: "Order service p50<1m", passed: true },
    { expression: '"Refund" errors<50%', passed: true },
  ]);

  await place.succeed("run --plan plan.yaml --run-id two --generators 2 --json two.json");
  expect(await instancesOf(client, "two")).toEqual(expected);
  const two = await resultIn(place, "two.json");
  expect(two.byOrchestration!.map(({ orchestrator, counts }) => ({ orchestrator, counts }))).toEqual(
    whole.byOrchestration!.map(({ orchestrator, counts }) => ({ orchestrator, counts })),
  );
});

test("the failures of one orchestration are its own", async () => {
  const place = await placeWith(PLAN.replace("id: 7", "id: 13"));
  await applicationIn(place, [Order, Refund]);
  const thresholds = ["Order", "Refund"].flatMap((name) => ["--threshold", `${name} counts.orchestrations.failed<1`]);
  const { code, stdout } = await place.run("run --plan plan.yaml --json r.json", ...thresholds);
  expect({ code, stdout }).toMatchObject({ code: 1 });
  const { byOrchestration, thresholds: judged } = await resultIn(place, "r.json");
  expect(byOrchestration!.map(({ counts }) => counts.orchestrations.failed)).toEqual([0, 20]);
  expect(judged!.map(({ passed }) => passed)).toEqual([true, false]);
});

test("the built-in orchestration may be one of them, and a host that is missing is named before anything starts", async () => {
  const builtIn = PLAN.replace("Order", "FanOutFanInOrchestration").replace(
    '"@orders.jsonl"',
    "{ iterations: 1, parallelActivities: 2 }",
  );
  const place = await placeWith(builtIn);
  await place.start("worker --port 0").says(/Connected to/u);
  const refused = await place.run("run --plan plan.yaml --run-id none --worker-timeout 1s");
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/no worker on task hub default hosts Refund for 1 s; start the worker/u) as string,
  });
  expect(await place.run("status --run none")).toMatchObject({ code: 1 });

  await writeFile(join(place.folder, "plan.yaml"), builtIn.replace(/ {2}- orchestrator: Refund[^]*/u, ""));
  await place.succeed("run --plan plan.yaml --json r.json");
  const { byOrchestration } = await resultIn(place, "r.json");
  expect(byOrchestration!.map(({ counts }) => counts.orchestrations.completed)).toEqual([STARTS]);
});

test.each<[string, string[], RegExp]>([
  ["", ["--threshold", "Ordr p99<2s"], /of an orchestration of the plan \(Order, Refund\), found "Ordr p99"/u],
  [
    "",
    ["--threshold", "Refund service p99<2s"],
    /p99 takes 1,000 orchestrations, .* the plan measures 20; start more of Refund/u,
  ],
  ["", ["--threshold", "Order activities/s>1"], /expected a figure/u],
  ["", ["--orchestrator", "Other"], /--orchestrator: expected it without orchestrations/u],
  ["input: 7", [], /plan.yaml:13: input: expected it without orchestrations/u],
])("%j with %j is refused before anything starts", async (more, flags, message) => {
  const place = await placeWith(`${PLAN}${more}`);
  const { code, stdout, stderr } = await place.run("run --plan plan.yaml", ...flags);
  expect({ code, stdout, stderr }).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringMatching(message) as string,
  });
  expect(existsSync(place.stateFolder)).toBe(false);
});
