import { describe, expect, onTestFinished, test } from "vitest";
import { pb } from "../../src/protocol/sidecar-stubs.js";
import { RawConnection } from "../support/emulator/raw-connection.js";
import { ForwardingBackend } from "../support/hub/forwarding-backend.js";
import { Workplace } from "../support/e2e/workplace.js";

const RUN = "r0123456789ab";
const OURS = [`${RUN}-00000-000`, `${RUN}-00000-001`, `${RUN}-00000-002`];
/** Another run's, another application's, and a child that the run's first instance may have started. */
const OTHERS = ["rzzzzzzzzzzzz-00000-000", "order-00000-000", `${RUN}-child`, `${OURS[0]}:0001`];
const AT_ONCE = "SkipGracefulOrchestrationTerminations";
const ENDED = pb.OrchestrationStatus.ORCHESTRATION_STATUS_TERMINATED;
const PENDING = pb.OrchestrationStatus.ORCHESTRATION_STATUS_PENDING;

/** A hub on which a run and others have left work, and a connection to look at it. */
async function hubWithLeftWork(): Promise<{ readonly place: Workplace; readonly hub: RawConnection }> {
  const place = await Workplace.open();
  await place.succeed("status");
  const hub = new RawConnection(`unix:${place.socket}`, "default");
  onTestFinished(() => hub.close());
  for (const id of [...OURS, ...OTHERS]) await hub.start(id, "Order");
  return { place, hub };
}

async function statusesOf(hub: RawConnection, ids: readonly string[]): Promise<readonly (number | undefined)[]> {
  return Promise.all(ids.map(async (id) => (await hub.state(id))?.orchestrationstatus));
}

describe("the unfinished instances of a run", () => {
  test("are ended by the run id, and those of other runs stay", async () => {
    const { place, hub } = await hubWithLeftWork();
    const unasked = await place.run(`terminate --run ${RUN}`);
    expect(unasked).toMatchObject({ code: 2, stderr: expect.stringContaining("Add --yes") as string });
    expect(await statusesOf(hub, OURS)).toEqual(OURS.map(() => PENDING));
    const { stdout } = await place.succeed(`terminate --run ${RUN} --yes`);
    expect(stdout).toBe("ended 3 instances (3 Terminated)\n");
    expect(await statusesOf(hub, OURS)).toEqual(OURS.map(() => ENDED));
    expect(await statusesOf(hub, OTHERS)).toEqual(OTHERS.map(() => PENDING));
    expect((await place.succeed(`terminate --run ${RUN} --yes`)).stdout).toMatch(/^nothing to terminate/u);
    const unknown = await place.run("terminate --run raaaaaaaaaaaa --yes");
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining("no instance of run") as string });
  });

  test("are not ended without a question if the run id does not prove a load test", async () => {
    const { place, hub } = await hubWithLeftWork();
    for (const command of ["terminate --run order --yes", "purge --run order --terminate --yes"]) {
      const refused = await place.run(command);
      expect(refused).toMatchObject({ code: 2, stdout: "" });
      expect(refused.stderr).toContain("found those of the orchestrator Order. They may belong to another application");
      expect(refused.stderr).toContain("--orchestrator Order");
    }
    expect(await statusesOf(hub, OTHERS)).toEqual(OTHERS.map(() => PENDING));
    const named = await place.succeed("terminate --run order --orchestrator Order --yes");
    expect(named.stdout).toBe("ended 1 instance (1 Terminated)\n");
  });

  test("are ended and purged by one command, also on a backend without QueryInstances", async () => {
    const { place, hub } = await hubWithLeftWork();
    const backend = await ForwardingBackend.start(`unix:${place.socket}`, ["QueryInstances"], { batches: false });
    onTestFinished(() => backend.close());
    const flags = ["--connection-string", backend.connectionString("default")];
    const { stdout } = await place.succeed(`purge --run ${RUN} --terminate --yes`, ...flags);
    expect(stdout).toBe("ended 3 instances (3 Terminated)\npurged 3 instances\n");
    expect(await statusesOf(hub, OURS)).toEqual(OURS.map(() => undefined));
    expect(await statusesOf(hub, OTHERS)).toEqual(OTHERS.map(() => PENDING));
    expect(backend.calls).toMatchObject({ SkipGracefulOrchestrationTerminations: 1 });
  });

  test("are reported if only a worker can end them and there is none", async () => {
    const { place, hub } = await hubWithLeftWork();
    const backend = await ForwardingBackend.start(`unix:${place.socket}`, [AT_ONCE]);
    onTestFinished(() => backend.close());
    const flags = ["--connection-string", backend.connectionString("default")];
    const { code, stdout, stderr } = await place.run(`terminate --run ${RUN} --timeout 1ms --yes`, ...flags);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "ended 0 instances\n" });
    expect(stderr).toMatch(/3 instances did not end within 1 ms \(--timeout\), 3 Pending; .*a worker that hosts/u);
    const worker = await hub.worker();
    const item = await worker.item();
    expect(OURS).toContain(item.orchestratorrequest?.instanceid);
    expect(
      item.orchestratorrequest?.neweventsList.map(({ executionterminated }) => executionterminated),
    ).toContainEqual(expect.objectContaining({ recurse: false }));
  });

  test("stay if the backend has no TerminateInstance, and the error names that call", async () => {
    const { place } = await hubWithLeftWork();
    const backend = await ForwardingBackend.start(`unix:${place.socket}`, ["TerminateInstance", AT_ONCE]);
    onTestFinished(() => backend.close());
    const flags = ["--connection-string", backend.connectionString("default")];
    const refused = await place.run(`terminate --run ${RUN} --yes`, ...flags);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("has no TerminateInstance") as string });
  });
});

test.skipIf(process.platform !== "linux")("are counted at a terminal, and are ended only after a yes", async () => {
  const { place, hub } = await hubWithLeftWork();
  for (const [keys, answer] of [
    ["\r", /nothing was changed/u],
    ["yes\r", /ended 1 instance/u],
  ] as const) {
    const terminate = place.startOnTerminal("terminate --run order");
    await terminate.says(
      /Terminate 1 unfinished instance of run order of the orchestrator Order on task hub default on the embedded emulator\?/u,
    );
    terminate.press(keys);
    expect((await terminate.ended).stdout).toMatch(answer);
  }
  expect(await statusesOf(hub, ["order-00000-000"])).toEqual([ENDED]);
});
