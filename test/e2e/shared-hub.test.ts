import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { pb } from "../../src/protocol/sidecar-stubs.js";
import { RawConnection } from "../support/emulator/raw-connection.js";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { Workplace } from "../support/e2e/workplace.js";

/** A hub on which another application has work: suspended, so that no worker can hold it up or carry it on. */
async function hubWithBilling(place: Workplace): Promise<RawConnection> {
  await place.succeed("status");
  const other = new RawConnection(`unix:${place.socket}`, "default");
  onTestFinished(() => other.close());
  for (const id of ["invoice-1", "invoice-2"]) {
    await other.start(id, "BillingOrder");
    const request = new pb.SuspendRequest();
    request.setInstanceid(id);
    await other.call("SuspendInstance", request, pb.SuspendResponse);
  }
  return other;
}

test("doctor and every form of a run's report name work that fanout did not start", async () => {
  const place = await Workplace.open();
  const other = await hubWithBilling(place);
  const work = "2 unfinished instances: 2 that fanout did not start (2 BillingOrder)";
  const doctor = await place.succeed("doctor");
  expect(doctor.stdout).toMatch(/^warning +work of others +task hub default has 2 unfinished .*2 BillingOrder/mu);
  expect(doctor.stdout).toContain("give a load test a task hub of its own");

  const own = await place.succeed("run --iterations 1 --json own.json --html own.html --markdown own.md");
  expect(own.stderr).toContain(`task hub default already has ${work}`);
  expect(own.stdout).toContain(`on the hub    ${work}, when the run began`);
  expect(await readFile(join(place.folder, "own.html"), "utf8")).toContain(work);
  expect(await readFile(join(place.folder, "own.md"), "utf8")).toContain("2 BillingOrder");
  const { environment, verdict } = parseRunResult(await readFile(join(place.folder, "own.json"), "utf8"));
  expect(environment.hub).toEqual({
    unfinished: 2,
    more: false,
    runs: [],
    foreign: { unfinished: 2, orchestrators: [{ name: "BillingOrder", unfinished: 2 }] },
  });
  // Workers of the run's own take none of it.
  expect(verdict.reasons.map(({ name }) => name)).not.toContain("shared-workers");

  const worker = place.start("worker --port 0");
  await worker.says(/Connected to/u);
  const shared = parseRunResult((await place.succeed("run --iterations 1 --workers 0 --json")).stdout);
  expect(shared.environment.ownWorkers).toBe(0);
  expect(shared.verdict.reasons).toContainEqual(
    expect.objectContaining({ severity: "suspect", name: "shared-workers" }),
  );
  expect((await other.state("invoice-1"))?.orchestrationstatus).toBe(
    pb.OrchestrationStatus.ORCHESTRATION_STATUS_SUSPENDED,
  );
});
