import { existsSync } from "node:fs";
import { onTestFinished, describe, expect, test } from "vitest";
import { RawConnection } from "../support/emulator/raw-connection.js";
import { HubInspector } from "../support/e2e/hub-inspector.js";
import { ForwardingBackend } from "../support/hub/forwarding-backend.js";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { Workplace } from "../support/e2e/workplace.js";

async function runToItsEnd(place: Workplace, flags: string): Promise<string> {
  const { stdout } = await place.succeed(`run --workers 1 --json ${flags}`);
  return parseRunResult(stdout).runId;
}

describe("fanout purge", () => {
  test("deletes the ended instances of a run, and names the unfinished ones", async () => {
    const place = await Workplace.open();
    const runId = await runToItsEnd(place, "--parallel-orchestrations 5 --iterations 1");
    const other = await runToItsEnd(place, "--iterations 1");
    const emulator = new RawConnection(`unix:${place.socket}`, "default");
    onTestFinished(() => emulator.close());
    await emulator.start(`${runId}-00000-005`);
    const purge = await place.run(`purge --run ${runId} --yes`);
    expect(purge.code).toBe(1);
    expect(purge.stdout).toBe(
      `purged 5 instances\nleft 1 instance that has not ended (1 Pending):\n  ${runId}-00000-005\n` +
        `to end and purge it: fanout purge --run ${runId} --terminate\n`,
    );
    const { runs } = JSON.parse((await place.succeed("status --json")).stdout) as { runs: unknown };
    // What is left of the first run was created after the other one.
    expect(runs).toMatchObject([
      { runId, byStatus: { Pending: 1 } },
      { runId: other, byStatus: { Completed: 1 } },
    ]);
    const again = await place.run(`purge --run ${runId} --yes`);
    expect(again).toMatchObject({ code: 1, stdout: expect.stringMatching(/^nothing to purge.*\nleft 1 /u) as string });
    const gone = await place.run("purge --run r0123456789ab --yes");
    expect(gone).toMatchObject({ code: 1, stderr: expect.stringContaining("no instance of run") as string });
  });

  test("at a terminal counts, asks, and deletes nothing without a yes", async () => {
    const place = await Workplace.open();
    const runId = await runToItsEnd(place, "--parallel-orchestrations 3 --iterations 1");
    const question =
      /Purge 3 ended instances of run r\w{12} from task hub default on the embedded emulator\? \[y\/N\] /u;
    for (const [keys, answer, code] of [
      ["\r", /nothing was changed/u, 0],
      ["\u0003", /nothing was changed/u, 130],
      ["yes\r", /purged 3 instances/u, 0],
    ] as const) {
      const purge = place.startOnTerminal(`purge --run ${runId}`);
      await purge.says(question);
      purge.press(keys);
      const ended = await purge.ended;
      expect(ended.stdout).toMatch(answer);
      expect(ended.code).toBe(code);
    }
  });

  test("--older-than deletes only load tests", async () => {
    const place = await Workplace.open();
    await runToItsEnd(place, "--parallel-orchestrations 4 --iterations 1");
    const emulator = new RawConnection(`unix:${place.socket}`, "default");
    onTestFinished(() => emulator.close());
    await emulator.start("order-1", "Order");
    expect((await place.succeed("purge --older-than 1h --yes")).stdout).toMatch(/^nothing to purge/u);
    expect((await place.succeed("purge --older-than 1ms --yes")).stdout).toBe(
      "purged 4 instances\nleft 1 instance that no load test has started\n",
    );
    expect(await emulator.state("order-1")).toBeDefined();
  });

  test("purges by id if the backend has no list and no batches", async () => {
    const place = await Workplace.open();
    const runId = await runToItsEnd(place, "--parallel-orchestrations 30 --iterations 1 --parallel-activities 1");
    const backend = await ForwardingBackend.start(`unix:${place.socket}`, ["QueryInstances"], { batches: false });
    onTestFinished(() => backend.close());
    const flags = ["--connection-string", backend.connectionString("default")];
    expect((await place.succeed(`purge --run ${runId} --yes`, ...flags)).stdout).toBe("purged 30 instances\n");
    expect(backend.calls["PurgeInstances"]).toBe(31);
    const byAge = await place.run("purge --older-than 1ms --yes", ...flags);
    expect(byAge).toMatchObject({ code: 1, stderr: expect.stringContaining("has no QueryInstances") as string });
  });
});

describe("fanout run", () => {
  test("with --purge writes its result and leaves nothing on the hub", async () => {
    const place = await Workplace.open();
    const { stdout, stderr } = await place.succeed(
      "run --workers 1 --purge --json --parallel-orchestrations 3 --iterations 1",
    );
    expect(parseRunResult(stdout).counts.orchestrations.completed).toBe(3);
    expect(stderr).toContain("purged 3 instances\n");
    expect((await place.succeed("status")).stderr).toContain("task hub default has no runs");
  });

  test("with --purge deletes the sub-orchestrations of its fan-outs too", async () => {
    const place = await Workplace.open();
    const flags = "--parallel-orchestrations 2 --iterations 2 --sub-orchestrations 3";
    const { stderr } = await place.succeed(`run --workers 1 --purge ${flags}`);
    expect(stderr).toContain("purged 14 instances\n");
    const inspector = new HubInspector(place.socket);
    onTestFinished(() => inspector.close());
    expect(await inspector.instances("")).toEqual([]);
  });

  test("with --purge ends with 1 and an error if the backend does not purge", async () => {
    const place = await Workplace.open();
    const worker = place.start("worker --port 0");
    await worker.says(/Connected/u);
    const backend = await ForwardingBackend.start(`unix:${place.socket}`, ["PurgeInstances"]);
    onTestFinished(() => backend.close());
    const flags = ["--connection-string", backend.connectionString("default")];
    const { code, stdout, stderr } = await place.run("run --purge --iterations 1", ...flags);
    expect({ code, stderr }).toMatchObject({ code: 1 });
    expect(stdout).toMatch(/^Completed 1 orchestration/u);
    expect(stderr).toMatch(
      /error: the run could not be purged: .* has no PurgeInstances \(UNIMPLEMENTED\).* Try again later: fanout purge --run r\w{12}\n/u,
    );
  });

  test("with --dry-run prints the plan, its actions and its share of the capacity, and starts nothing", async () => {
    const place = await Workplace.open();
    const plan = "run --dry-run --parallel-orchestrations 1,000 --iterations 100 --capacity-units 2";
    const { stdout, stderr } = await place.succeed(plan);
    expect(stderr).toBe("");
    expect(stdout).toContain(
      "1,000 orchestrations x 100 iterations x 5 activities = 500,000 activities, 1,001,000 actions",
    );
    expect(stdout).toContain("2 capacity units do at most 4,000 actions/s: the run keeps all of them busy for 4m10s");
    expect(stdout).not.toContain("refused");
    const away = ["--connection-string", "Endpoint=http://127.0.0.1:9;Authentication=None;TaskHub=hub"];
    const elsewhere = await place.succeed(plan, ...away);
    expect(elsewhere.stdout).toContain("without --dry-run this run is refused: this run costs 1,001,000 actions");
    const refused = await place.run("run --parallel-orchestrations 1,000 --iterations 100", ...away);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toContain("--max-actions 1,001,000");
    expect(existsSync(place.stateFolder)).toBe(false);
  });
});
