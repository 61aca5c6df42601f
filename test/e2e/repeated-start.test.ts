import { expect, onTestFinished, test } from "vitest";
import { ForwardingBackend } from "../support/hub/forwarding-backend.js";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { Workplace } from "../support/e2e/workplace.js";

test("a start whose answer was lost is repeated, finds its own instance, and runs once", async () => {
  const place = await Workplace.open();
  const worker = place.start("worker --port 0");
  await worker.says(/Connected to/u);
  const backend = await ForwardingBackend.start(`unix:${place.socket}`, [], { losesStarts: true });
  onTestFinished(() => backend.close());
  const flags = ["--connection-string", backend.connectionString("default")];

  const run = await place.succeed("run --json --parallel-orchestrations 3 --iterations 1", ...flags);
  const { counts, runId } = parseRunResult(run.stdout);
  expect(counts.orchestrations).toMatchObject({ started: 3, completed: 3 });
  expect(backend.calls["StartInstance"]).toBe(6);
  expect(await place.runningEmulator()).toMatchObject({ orchestrationsEnded: 3, instances: 3 });
  expect((await place.succeed(`status --run ${runId}`, ...flags)).stdout).toContain("3 Completed");

  const serve = place.start("serve --port 0", ...flags);
  const [, url] = await serve.says(/(http:\/\/127\.0\.0\.1:\d+)/u);
  const answer = await fetch(`${url}/api/orchestrations`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ iterations: 1, parallelActivities: 1, parallelOrchestrations: 2 }),
  });
  expect(answer.status).toBe(202);
  expect(backend.calls["StartInstance"]).toBe(10);
  expect(await place.runningEmulator()).toMatchObject({ orchestrationsEnded: 5, instances: 5 });
});
