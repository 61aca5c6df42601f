import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { OrchestrationContext } from "@microsoft/durabletask-js";
import { expect, test } from "vitest";
import { parseResult } from "../../src/result/read-result.js";
import type { RunResult } from "../../src/result/run-result.js";
import { applicationIn } from "../support/e2e/application.js";
import { canSeeProcesses, generatorsOf } from "../support/e2e/process-table.js";
import { Workplace } from "../support/e2e/workplace.js";
import { DelayServerProcess } from "../support/load/delay-server-process.js";

function Order(): string {
  return "done";
}

async function* Refund(context: OrchestrationContext): AsyncGenerator<unknown, void> {
  yield context.waitForExternalEvent("never");
}

const MIX = `
orchestrations:
  - orchestrator: Order
    weight: 3
  - orchestrator: Refund
    weight: 1
`;

async function placeWith(plan: string): Promise<Workplace> {
  const place = await Workplace.open();
  await writeFile(join(place.folder, "plan.yaml"), plan);
  return place;
}

async function resultIn(place: Workplace): Promise<RunResult> {
  return parseResult(await readFile(join(place.folder, "result.json"), "utf8"), "result.json");
}

/** The sums of the figures of all orchestrations, by the name of the figure. */
function sumsOf(parts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const part of parts) for (const [name, count] of Object.entries(part)) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}

test.skipIf(!canSeeProcesses)("the orchestrations of a mix add up to the run if a generator was killed", async () => {
  const place = await placeWith(`total: 80\nparallelOrchestrations: 10\n${MIX}`);
  await applicationIn(place, [Order, Refund]);
  const run = place.start("run --plan plan.yaml --generators 2 --json result.json");
  await run.says(/^\d+ s: [1-9]\d* of 80 orchestrations/mu);
  process.kill(generatorsOf(run.pid)[0]!, "SIGKILL");
  expect(await run.ended).toMatchObject({ code: 1 });

  const { counts, byOrchestration, recount } = await resultIn(place);
  expect(sumsOf(byOrchestration!.map(({ counts }) => counts.orchestrations))).toEqual(counts.orchestrations);
  if (!recount || "unknown" in recount) throw new Error("expected a recount");
  const { instances, lost, unexpected } = recount;
  expect(sumsOf(recount.byOrchestration!.map(({ orchestrator: _name, ...starts }) => starts))).toEqual({
    instances,
    lost: lost.total,
    unexpected: unexpected.total,
  });
});

test.skipIf(!canSeeProcesses).each([
  { delay: "constant:10m", isKnown: true },
  { delay: "constant:1ms", isKnown: false },
])(
  "on a backend that cannot list instances ($delay), they add up, or are left out: $isKnown",
  async ({ delay, isKnown }) => {
    const place = await placeWith(`rate: 20/s\nduration: 1m\n${MIX}`);
    const server = await DelayServerProcess.start({ delay, lacking: ["QueryInstances"] });
    const run = place.start(
      "run --plan plan.yaml --generators 2 --json result.json --connection-string",
      server.connectionString,
    );
    await run.says(/^\d+ s: [1-9]\d+ orchestrations started/mu);
    process.kill(generatorsOf(run.pid)[0]!, "SIGKILL");
    expect(await run.ended).toMatchObject({ code: 1 });

    const { counts, byOrchestration } = await resultIn(place);
    expect(counts.orchestrations.completed > 0).toBe(!isKnown);
    const sums = byOrchestration && sumsOf(byOrchestration.map(({ counts }) => counts.orchestrations));
    expect(sums).toEqual(isKnown ? counts.orchestrations : undefined);
  },
);
