import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ComparedSides } from "../../src/report/compared-sides.js";
import { schemaErrors, SIDES_SCHEMA } from "../support/report/published-schema.js";
import { FANOUT, Workplace } from "../support/e2e/workplace.js";

const SMALL = ["--", "--workers", "1", "--iterations", "1", "--parallel-orchestrations", "20"];

async function sidesIn(place: Workplace, file: string): Promise<ComparedSides> {
  return JSON.parse(await readFile(join(place.folder, file), "utf8")) as ComparedSides;
}

/** A program that is called as fanout is, and notes how. */
async function otherFanout(place: Workplace, name: string): Promise<string> {
  const file = join(place.folder, name);
  const note = `echo "$FANOUT_STATE_DIR|$DURABLE_TASK_CONNECTION_STRING|$GITHUB_STEP_SUMMARY|$*" >> '${file}.log'`;
  await writeFile(file, `#!/bin/sh\n${note}\nexec '${process.execPath}' '${FANOUT}' "$@"\n`);
  await chmod(file, 0o755);
  return file;
}

describe("fanout compare --run", () => {
  test("measures the sides in turn, keeps all results, and finds the slower side", async () => {
    const place = await Workplace.open();
    const sides = ["--run", "--activity-duration 100ms", "--run", "--activity-duration 3s"];
    const files = ["--json", "ab.json", "--junit", "ab.xml", "--html", "ab.html", "--markdown", "ab.md"];
    const flags = ["--name", "short", "--name", "long", "--repeat", "3", "--allow-invalid", ...files];
    const compared = await place.run("compare", ...sides, ...flags, ...SMALL);
    expect(compared.stdout).toContain("short (mean of 3)  long (mean of 3)");
    const turns = [...compared.stderr.matchAll(/^run \d of 6 \((\w+)\)$/gmu)].map(([, name]) => name);
    expect(turns).toEqual(["short", "long", "long", "short", "short", "long"]);
    expect(compared.stderr).toMatch(/^short: activities\/s [\d,.]+\/s, response p50 /mu);

    const document = await sidesIn(place, "ab.json");
    expect(schemaErrors(document, SIDES_SCHEMA)).toEqual([]);
    const { figures } = document.comparisons[0]!;
    expect(figures[0]).toMatchObject({ figure: "activities/s" });
    expect(figures[0]!.ratio).toBeLessThan(1);
    // Runs on a busy machine may differ so much among themselves that three of them show no difference.
    const isSlower = figures.some(({ finding }) => finding === "slower");
    expect(compared).toMatchObject({
      code: isSlower ? 98 : 0,
      stdout: expect.stringMatching(isSlower ? /^Slower beyond 5 % /mu : /^No difference shown beyond 5 % /mu),
    });
    expect(document.sides.map(({ name, command, results }) => [name, command, results.length])).toEqual([
      ["short", `fanout run --activity-duration 100ms ${SMALL.slice(1).join(" ")}`, 3],
      ["long", `fanout run --activity-duration 3s ${SMALL.slice(1).join(" ")}`, 3],
    ]);
    expect(await readFile(join(place.folder, "ab.xml"), "utf8")).toContain("fanout compare long with short");

    const again = await place.run("compare ab.json --allow-invalid");
    expect(again).toEqual({ ...compared, stderr: "" });
    const loose = await place.run("compare ab.json --allow-invalid --noise-threshold 100%");
    expect(loose.stdout).toMatch(/^.* beyond 100 % /mu);
    expect(await place.run("compare ab.json new.json --json ab.json")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/found ab\.json, which holds results of runs/u),
    });
    expect(await place.run("report ab.json")).toMatchObject({
      code: 2,
      stderr: "error: ab.json: expected results of one side, found several; `fanout compare ab.json` compares them\n",
    });
  });

  test("gives each of two programs its own emulator and the requested worker, and shows no secret", async () => {
    const place = await Workplace.open();
    const [old, fresh] = [await otherFanout(place, "old"), await otherFanout(place, "fresh")];
    const worker = `'${process.execPath}' '${FANOUT}' worker --port 0`;
    const runs = [
      `DURABLE_TASK_CONNECTION_STRING=$HUB ${old} run`,
      `DURABLE_TASK_CONNECTION_STRING=@hub.txt ${fresh} run --worker-command "${worker}"`,
    ];
    await writeFile(join(place.folder, "hub.txt"), "UseDevelopmentStorage=true;TaskHub=fresh\n");
    const env = {
      ...place.env,
      HUB: "UseDevelopmentStorage=true;TaskHub=old",
      GITHUB_STEP_SUMMARY: join(place.folder, "summary.md"),
    };
    const args = ["compare", ...runs.flatMap((run) => ["--run", run]), "--repeat", "1", "--json", "ab.json"];
    const flags = ["--", "--iterations", "1", "--workers"];
    const command = [FANOUT, ...args, ...flags, "auto"];
    const ended = await place.startProgram(process.execPath, command, env).ended;
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Run-to-run noise unknown: /mu) });

    const calls = await Promise.all(
      ["old", "fresh"].map(async (name) => {
        const [check, run, ...others] = (await readFile(join(place.folder, `${name}.log`), "utf8")).trim().split("\n");
        expect(check).toMatch(/\|run .*--dry-run$/u);
        expect(others.map((call) => call.split("|").at(-1))).toEqual(["emulator stop"]);
        const [stateFolder, connectionString, stepSummary, line] = run!.split("|");
        expect({ connectionString, stepSummary }).toEqual({
          connectionString: `UseDevelopmentStorage=true;TaskHub=${name}`,
          stepSummary: "",
        });
        expect(line).not.toContain("TaskHub");
        return stateFolder!;
      }),
    );
    expect(new Set(calls).size).toBe(2);
    // What belonged to one side is gone, the emulators with it.
    expect(await readdir(place.stateFolder)).toEqual([]);
    const { sides } = await sidesIn(place, "ab.json");
    expect(sides.map(({ results }) => results[0]!.environment)).toMatchObject([
      { taskHub: "old" },
      { taskHub: "fresh", ownWorkers: 0 },
    ]);
    expect(sides[0]!.command).toBe(`DURABLE_TASK_CONNECTION_STRING=$HUB ${old} run --iterations 1 --workers auto`);
    expect(await readFile(join(place.folder, "summary.md"), "utf8")).toMatch(/^\n### fanout: new against base: /u);
  });

  test("passes Ctrl-C to the running side, and compares the finished runs", async () => {
    const place = await Workplace.open();
    const runs = ["--run", "", "--run", "--duration 5m --parallel-activities 1 --activity-duration 200ms"];
    const compare = place.start("compare", ...runs, "--json", "ab.json", "--allow-invalid", ...SMALL);
    await compare.says(/^run 2 of 10 \(new\)$[^]*\b[1-9]\d* completed/mu);
    compare.kill("SIGINT");
    const ended = await compare.ended;
    expect(ended.code).toBe(130);
    // A lane may be between two of them.
    expect(ended.stderr).toMatch(/terminating \d+ orchestrations in flight/u);
    expect(ended.stderr).toMatch(
      /interrupted in run 2 of 10 \(new\): 1 run measured\nnothing to compare: a side has no run\n$/u,
    );
    const { sides } = await sidesIn(place, "ab.json");
    expect(sides.map(({ results }) => results.length)).toEqual([1, 0]);
    const { stderr } = await place.succeed("run --workers 1 --iterations 1");
    expect(stderr).not.toContain("unfinished");
  });

  test("ends at the first failed run, says which and why, and judges nothing", async () => {
    const place = await Workplace.open();
    const runs = ["--run", "", "--run", "--failure-rate 100%"];
    const { code, stdout, stderr } = await place.run("compare", ...runs, "--allow-invalid", ...SMALL);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: run 2 of 10 \(new\): `fanout run` ended with exit code 1:\nIncomplete: 0 of 20 /mu);
    expect(stdout).toMatch(/^Cannot be compared: 1 run\n {2}new {3}\S+ {2}20 of 20 orchestrations did not complete$/mu);
  });

  test.each([
    [["--run", "", "--run", "--iteratons 5"], /^error: --run 'new': unknown option '--iteratons'/mu],
    [["--run", "", "--run", "/nowhere/fanout run"], /^error: --run 'new': could not be started: spawn .* ENOENT$/mu],
    [["--run", "--rate 5/s"], /^error: --run: expected two or more, with the base first, found 1$/mu],
    [
      ["--run", "", "--run", "", "a.json"],
      /^error: --run: expected no files beside it, found a\.json; put flags for all sides after --/mu,
    ],
    [["a.json", "b.json", "--repeat", "3"], /^error: --repeat: expected --run with it/mu],
  ])("%j ends with 2 before anything starts", async (args, message) => {
    const place = await Workplace.open();
    const { code, stdout, stderr } = await place.run("compare", ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain("run 1 of");
  });
});
