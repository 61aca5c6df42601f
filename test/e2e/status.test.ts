import { existsSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { onTestFinished, describe, expect, test } from "vitest";
import { RawConnection, stringValue } from "../support/emulator/raw-connection.js";
import { ForwardingBackend } from "../support/hub/forwarding-backend.js";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { Workplace } from "../support/e2e/workplace.js";

async function runToItsEnd(place: Workplace, flags: string): Promise<string> {
  const { stdout } = await place.succeed(`run --workers 1 --json ${flags}`);
  return parseRunResult(stdout).runId;
}

async function latestRun(place: Workplace): Promise<string> {
  const { runs } = JSON.parse((await place.succeed("status --json")).stdout) as { runs: { runId: string }[] };
  return runs[0]!.runId;
}

/** Lets the emulator of a place be reached as a backend elsewhere, which lacks some calls. */
async function elsewhere(place: Workplace, lacking: readonly string[]): Promise<readonly string[]> {
  const backend = await ForwardingBackend.start(`unix:${place.socket}`, lacking);
  onTestFinished(() => backend.close());
  return ["--connection-string", backend.connectionString("default")];
}

describe("fanout status", () => {
  test("shows a run, its instances, and the latest runs, as text and as JSON", async () => {
    const place = await Workplace.open();
    const first = await runToItsEnd(place, "--parallel-orchestrations 3 --iterations 2");
    const second = await runToItsEnd(place, "--iterations 1");

    const runs = await place.succeed("status");
    expect(runs.stdout).toMatch(new RegExp(`^${second} .* 1 instance +1 Completed\n${first} .* 3 Completed\n$`, "u"));
    expect(JSON.parse((await place.succeed("status --json")).stdout)).toMatchObject({
      schemaVersion: 1,
      taskHub: "default",
      runs: [
        { runId: second, instances: 1 },
        { runId: first, instances: 3, ended: 3, byStatus: { Completed: 3 } },
      ],
    });

    const run = await place.succeed(`status --run ${first}`);
    expect(run.stdout).toMatch(/instances +3: 3 Completed\n +activities +30 of 30\n +duration .*\n +throughput +orch/u);
    expect(JSON.parse((await place.succeed(`status --run ${first} --json`)).stdout)).toMatchObject({
      run: { runId: first, ended: 3, activities: { needed: 30, completed: 30 }, throughput: {} },
    });

    const { stdout } = await place.succeed(`status ${first}-00000-001 ${second}-00000-000`);
    expect(stdout).toMatch(
      /^r\w{12}-00000-001 {2}Completed .* took .* 2 of 2 iterations, 10 activities\nr\w{12}-00000-000/u,
    );
    const one = await place.run(`status ${first}-00000-001 nobody --json`);
    expect(one).toMatchObject({ code: 1, stderr: 'error: task hub default has no instance "nobody"\n' });
    expect(JSON.parse(one.stdout)).toMatchObject({
      instances: [{ instanceId: `${first}-00000-001`, status: "Completed", activitiesNeeded: 10 }],
      unknown: ["nobody"],
      error: { code: "instance-not-found", message: 'task hub default has no instance "nobody"' },
    });
    expect(await place.run("status --run r0123456789ab")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining("has no instance of run r0123456789ab") as string,
    });
  });

  test("watches a run of another process: its counts rise, and it ends when the run does", async () => {
    const place = await Workplace.open();
    const run = place.start(
      "run --workers 0 --worker-timeout 10m --parallel-orchestrations 10 --iterations 20 --activity-duration 200ms --allow-invalid",
    );
    await run.says(/0 of 10 orchestrations/u);
    const runId = await latestRun(place);
    const lines = place.start(`status --run ${runId} --watch`);
    const json = place.start(`status --run ${runId} --watch --json`);
    const one = place.start(`status ${runId}-00000-000 --watch`);
    await Promise.all([lines.says(/0 of 1,000 activities/u), json.says(/"ended":0/u)]);
    place.start("worker --port 0");
    for (const each of [run, lines, json, one]) expect(await each.ended).toMatchObject({ code: 0 });

    const counts = [...lines.stderr.matchAll(/([\d,]+) of 1,000 activities/gu)].map(([, count]) =>
      Number(count!.replaceAll(",", "")),
    );
    expect(new Set(counts).size).toBeGreaterThan(1);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(lines.stdout).toMatch(/instances +10: 10 Completed\n +activities +1,000 of 1,000/u);
    // oxlint-disable-next-line no-control-regex -- they are what it looks for
    expect(lines.stdout + lines.stderr).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F]/u);

    interface Line {
      run: { ended: number; instances: number; activities: { completed: number } };
    }
    const values = json.stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as Line).run);
    const activities = values.map(({ activities }) => activities.completed);
    expect(new Set(activities).size).toBeGreaterThan(2);
    expect(activities).toEqual([...activities].sort((a, b) => a - b));
    expect(values.at(-1)).toMatchObject({ ended: 10, instances: 10, activities: { completed: 1_000 } });
    expect(new Set(json.stdout.trimEnd().split("\n")).size).toBe(values.length);

    expect(one.stdout).toMatch(/-00000-000 {2}Completed .* 20 of 20 iterations, 100 activities\n$/u);
  });

  test("on a terminal watches with bars, and gives the cursor back on Ctrl-C", async () => {
    const place = await Workplace.open();
    const run = place.start("run --workers 0 --parallel-orchestrations 5 --worker-timeout 10m");
    await run.says(/0 of 5 orchestrations/u);
    const watch = place.startOnTerminal(`status --run ${await latestRun(place)} --watch`);
    await watch.says(/orchestrations .*0 \/ +5/u);
    watch.press("\u0003");
    const { code, stdout } = await watch.ended;
    expect(code).toBe(130);
    expect(stdout.lastIndexOf("\u001B[?25h")).toBeGreaterThan(stdout.lastIndexOf("\u001B[?25l"));
    expect(stripVTControlCharacters(stdout)).not.toMatch(/error/u);
  });

  test("--watch ends with 1 when an instance has failed, with the reason", async () => {
    const place = await Workplace.open();
    const worker = place.start("worker --port 0");
    await worker.says(/Connected/u);
    const emulator = new RawConnection(`unix:${place.socket}`, "default");
    onTestFinished(() => emulator.close());
    await emulator.start("r0123456789ab-00000-000", "FanOutFanInOrchestration", (request) => {
      request.setInput(stringValue('{"iterations": 0}'));
    });
    const run = await place.run("status --run r0123456789ab --watch");
    expect(run).toMatchObject({ code: 1 });
    expect(run.stdout).toMatch(
      /1 instance failed\n {2}r0123456789ab-00000-000 {2}\w+: .*iterations: expected an integer/u,
    );
    const one = await place.run("status r0123456789ab-00000-000 --watch");
    expect(one).toMatchObject({ code: 1 });
    expect(one.stdout).toMatch(
      /-00000-000 {2}Failed .* \w+: .*iterations: expected an integer of at least 1, found 0\n$/u,
    );
  });

  test("without QueryInstances finds a run by its ids, and an error names the call that a list needs", async () => {
    const place = await Workplace.open();
    const runId = await runToItsEnd(place, "--parallel-orchestrations 120 --iterations 1 --parallel-activities 1");
    const flags = await elsewhere(place, ["QueryInstances"]);
    const run = await place.succeed(`status --run ${runId} --json`, ...flags);
    expect(JSON.parse(run.stdout)).toMatchObject({
      run: { ended: 120, byStatus: { Completed: 120 }, activities: { needed: 120, completed: 120 } },
    });
    const watched = await place.succeed(`status --run ${runId} --watch`, ...flags);
    expect(watched.stdout).toContain("120 Completed");
    const list = await place.run("status", ...flags);
    expect(list).toMatchObject({ code: 1, stdout: "" });
    expect(list.stderr).toMatch(/^error: http:\/\/127\.0\.0\.1:\d+ has no QueryInstances \(UNIMPLEMENTED\)/u);
  });

  test.each([
    ["status one --run r0123456789ab", "found both"],
    ["status --watch", "--watch: expected instance ids or --run"],
    ["status --run order-1", '--run: expected a run id such as rmwvaxyifz2wa, found "order-1"'],
    ["purge", "expected either --run or --older-than, found neither"],
    ["purge --run r0123456789ab --older-than 7d", "found both"],
    ["purge --older-than week --yes", "--older-than: expected an age such as 7d, 12h or 30m"],
    ["purge --run r0123456789ab-00000-000 --yes", "--run: expected a run id"],
    ["purge --run r0123456789ab", "there is no terminal to ask on. Add --yes."],
    ["run --max-actions 100", "--max-actions: this run costs 101 actions"],
  ])("%s is a usage error, and nothing is started", async (line, message) => {
    const place = await Workplace.open();
    const { code, stdout, stderr } = await place.run(line);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(existsSync(place.stateFolder)).toBe(false);
  });
});
