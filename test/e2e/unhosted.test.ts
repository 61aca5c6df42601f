import { expect, onTestFinished, test } from "vitest";
import { pb } from "../../src/protocol/sidecar-stubs.js";
import { RawConnection } from "../support/emulator/raw-connection.js";
import { ForwardingBackend } from "../support/hub/forwarding-backend.js";
import { Workplace } from "../support/e2e/workplace.js";

const ID = "nightly-00000-000";
const TERMINATED = pb.OrchestrationStatus.ORCHESTRATION_STATUS_TERMINATED;
const PENDING = pb.OrchestrationStatus.ORCHESTRATION_STATUS_PENDING;

async function hubOf(place: Workplace): Promise<RawConnection> {
  await place.succeed("status");
  const hub = new RawConnection(`unix:${place.socket}`, "default");
  onTestFinished(() => hub.close());
  return hub;
}

test("the emulator reports an orchestration without a host at once, and the run starts nothing", async () => {
  const place = await Workplace.open();
  const hub = await hubOf(place);
  // It hosts the workload, and takes nothing else.
  const worker = place.start("worker --port 0");
  await worker.says(/Connected to/u);
  const { code, stdout, stderr } = await place.run("run --orchestrator Odrer --worker-timeout 1s");
  expect({ code, stdout }).toMatchObject({ code: 1 });
  expect(stderr).toMatch(
    /^no worker on task hub default hosts Odrer; start the worker that hosts Odrer, or check the spelling of/mu,
  );
  expect(stderr).toMatch(/^error: no worker on task hub default hosts Odrer for 1 s/mu);
  expect(await place.runningEmulator()).toMatchObject({ instances: 0 });

  const run = place.start("run --orchestrator Order --run-id nightly");
  await run.says(/no worker on task hub default hosts Order/u);
  const host = await hub.worker();
  expect((await host.item()).orchestratorrequest?.instanceid).toBe(ID);
  // It is hosted now, and what it holds is terminated all the same.
  run.kill("SIGINT");
  expect(await run.ended).toMatchObject({ code: 130 });
  expect((await hub.state(ID))?.orchestrationstatus).toBe(TERMINATED);
});

test("another backend makes the run give up after --worker-timeout, and terminate its instances, also after Ctrl-C", async () => {
  const place = await Workplace.open();
  const hub = await hubOf(place);
  const backend = await ForwardingBackend.start(`unix:${place.socket}`);
  onTestFinished(() => backend.close());
  const flags = ["--connection-string", backend.connectionString("default")];
  const start = (line: string) => place.start(`run --orchestrator Order ${line}`, ...flags);

  const unhosted = await start("--run-id nightly --worker-timeout 1s").ended;
  expect(unhosted).toMatchObject({ code: 1 });
  expect(unhosted.stderr).toMatch(/^error: no worker on task hub default has taken up Order for 1 s/mu);
  expect((await hub.state(ID))?.orchestrationstatus).toBe(TERMINATED);

  const run = start("--run-id pressed --parallel-orchestrations 3");
  await expect.poll(() => hub.state("pressed-00000-002")).toBeDefined();
  run.kill("SIGINT");
  expect(await run.ended).toMatchObject({ code: 130, stderr: expect.stringContaining("terminating 3") as string });
  expect((await hub.state("pressed-00000-002"))?.orchestrationstatus).toBe(TERMINATED);

  const left = start("--run-id left --leave");
  await expect.poll(() => hub.state("left-00000-000")).toBeDefined();
  left.kill("SIGINT");
  expect((await left.ended).stderr).toContain("to end them: fanout terminate --run left --orchestrator Order\n");
  expect((await hub.state("left-00000-000"))?.orchestrationstatus).toBe(PENDING);
});
