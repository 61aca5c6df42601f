import { existsSync } from "node:fs";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HistoryEventType, type OrchestrationContext, type TaskHubGrpcClient } from "@microsoft/durabletask-js";
import { expect, test } from "vitest";
import { instanceIdOf } from "../../src/plan/run-id.js";
import { parseResult } from "../../src/result/read-result.js";
import { applicationIn } from "../support/e2e/application.js";
import { startTimeFor } from "../support/e2e/start-time.js";
import { Workplace } from "../support/e2e/workplace.js";

/** An application's own orchestration: its output is its input. */
function Order(_context: OrchestrationContext, order: unknown): unknown {
  return order;
}

async function inputsOf(client: TaskHubGrpcClient, runId: string, starts: number): Promise<readonly unknown[]> {
  const ids = Array.from({ length: starts }, (_, sequence) => instanceIdOf(runId, sequence));
  const states = await Promise.all(ids.map((id) => client.getOrchestrationState(id)));
  return states.map((state) => JSON.parse(state!.serializedInput!) as unknown);
}

const SHORT = "--orchestrator Order --allow-invalid";

test("start k has the input of its line, whatever part of the load starts it", async () => {
  const place = await Workplace.open();
  await writeFile(join(place.folder, "orders.jsonl"), '{"id": 1}\n{"id": 2}\n{"id": 3}\n');
  await copyFile(join(place.folder, "orders.jsonl"), join(place.folder, "copy.jsonl"));
  await writeFile(join(place.folder, "orders.csv"), "id,name\n1,A\n2,B\n");
  const client = await applicationIn(place, [Order]);
  const random = `run ${SHORT} --input @orders.jsonl --input-order random --seed 5 --parallel-orchestrations 8`;
  const startAt = await startTimeFor(place);
  const shards = [random, random.replace("orders.jsonl", "copy.jsonl")].map((line, index) => {
    const number = index + 1;
    return place.start(`${line} --run-id parts --shard ${number}/2 --start-at ${startAt} --json ${number}.json`);
  });
  // The other runs are made while these wait for their start.
  for (const shard of shards) await shard.says(/^ready; starting at /mu);

  await place.succeed(
    `run ${SHORT} --input @orders.jsonl --total 7 --parallel-orchestrations 3 --run-id cycled --json r.json`,
  );
  const cycled = await inputsOf(client, "cycled", 7);
  expect(cycled).toEqual([1, 2, 3, 1, 2, 3, 1].map((id) => ({ id })));
  const result = parseResult(await readFile(join(place.folder, "r.json"), "utf8"), "r.json");
  expect(result.plan.inputs).toMatchObject({ file: "orders.jsonl", lines: 3, order: "cycle" });
  const report = await place.succeed("report r.json --markdown");
  expect(report.stdout).toContain("3 lines of orders.jsonl (cycle), SHA-256 ");

  await place.succeed(`run ${SHORT} --input @orders.csv --input-order once --duration 1m --run-id once`);
  expect(await inputsOf(client, "once", 2)).toEqual([
    { id: "1", name: "A" },
    { id: "2", name: "B" },
  ]);
  expect(await client.getOrchestrationState(instanceIdOf("once", 2))).toBeUndefined();

  await place.succeed(`${random} --run-id whole`);
  for (const shard of shards) {
    const { code, stderr } = await shard.ended;
    expect({ code, stderr }).toMatchObject({ code: 0 });
  }
  const whole = await inputsOf(client, "whole", 8);
  expect(await inputsOf(client, "parts", 8)).toEqual(whole);
  expect((await place.succeed("merge 1.json 2.json")).stdout).toMatch(/^Completed 8 orchestrations/u);
  await place.succeed(`${random} --run-id generators --generators 2`);
  expect(await inputsOf(client, "generators", 8)).toEqual(whole);
});

test("each instance has the version and the tags of the plan", async () => {
  const place = await Workplace.open();
  const client = await applicationIn(place, [Order]);
  const flags = "--instance-version 2.1.0 --tag team=shop --tag trial=a=b --total 2 --json r.json";
  await place.succeed(`run ${SHORT} --input {} ${flags} --run-id tagged`);
  await place.succeed(`run --iterations 1 --allow-invalid --workers 1 ${flags} --run-id own`);
  for (const id of ["tagged", "own"].map((runId) => instanceIdOf(runId, 1))) {
    const state = await client.getOrchestrationState(id);
    expect(state).toMatchObject({ tags: { team: "shop", trial: "a=b" } });
    const history = await client.getOrchestrationHistory(id);
    const started = history.find((event) => event.type === HistoryEventType.ExecutionStarted);
    expect(started).toMatchObject({ version: "2.1.0", tags: { team: "shop", trial: "a=b" } });
  }
  const result = parseResult(await readFile(join(place.folder, "r.json"), "utf8"), "r.json");
  expect(result.plan).toMatchObject({ instanceVersion: "2.1.0", tags: { team: "shop", trial: "a=b" } });
  const { stdout } = await place.succeed("report r.json --markdown");
  expect(stdout).toContain("team=shop, trial=a=b");
});

test("a line that holds no input, and too few lines, are named before anything starts", async () => {
  const place = await Workplace.open();
  await writeFile(join(place.folder, "orders.jsonl"), '{"id": 1}\nid: 2\n');
  await writeFile(join(place.folder, "orders.csv"), "id,name\n1,A\n2\n");
  await writeFile(join(place.folder, "few.jsonl"), "1\n2\n");
  for (const [flags, message] of [
    ["--input @orders.jsonl", "--input: expected JSON on each line, found none at orders.jsonl:2: "],
    ["--input @orders.csv", "--input: expected CSV at orders.csv:3: Invalid Record Length"],
    ["--input @few.jsonl --input-order once --total 3", "--input-order once: expected an input for each start"],
    ["--input @few.jsonl --input-order twice", "--input-order: expected cycle, random or once, found"],
  ] as const) {
    const { code, stdout, stderr } = await place.run(`run --orchestrator Order ${flags}`);
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining(message) as string,
    });
  }
  const search = await place.run("capacity --slo p99<2s --orchestrator Order --input @few.jsonl --input-order once");
  expect(search).toMatchObject({ code: 2, stderr: expect.stringContaining("expected cycle or random") as string });
  expect(existsSync(place.stateFolder)).toBe(false);
});
