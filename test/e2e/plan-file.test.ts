import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseResult } from "../../src/result/read-result.js";
import { Workplace } from "../support/e2e/workplace.js";

test("a run has the flags of its plan file, and those of the command line above them", async () => {
  const place = await Workplace.open();
  const plan =
    "iterations: 2\nparallelActivities: 3\nallowInvalid: true\nworkers: 1\nlabel: [branch=main]\njson: r.json\n";
  await writeFile(join(place.folder, "plan.yaml"), plan);
  const printed = await place.succeed("run --plan plan.yaml --iterations 1 --print-plan");
  expect(printed.stdout).toBe(
    "iterations: 1\nparallelActivities: 3\nworkers: 1\nallowInvalid: true\njson: r.json\nlabel:\n  - branch=main\n",
  );
  expect(existsSync(place.stateFolder)).toBe(false);

  await writeFile(join(place.folder, "printed.yaml"), printed.stdout);
  await place.succeed("run --plan printed.yaml --parallel-orchestrations 2");
  const result = parseResult(await readFile(join(place.folder, "r.json"), "utf8"), "r.json");
  expect(result.plan).toMatchObject({
    planFile: "printed.yaml",
    iterations: 1,
    parallelActivities: 3,
    parallelOrchestrations: 2,
    workers: 1,
    labels: { branch: "main" },
  });
});

test("a wrong value of a plan file is refused by its line, and one of the command line by its flag", async () => {
  const place = await Workplace.open();
  const run = "run --dry-run --plan plan.yaml";
  for (const [plan, flags, errors] of [
    [
      "rate: 50\nduration: 1x",
      "",
      ["plan.yaml:1: rate: expected a rate", "plan.yaml:2: duration: expected a duration"],
    ],
    ["rate: 50/s\nduration: 1x", "--duration 2y", ["--duration: expected a duration"]],
    ["rate: 50/s\nduration: 1m\ntotal: 5", "", ["plan.yaml:3: total: expected it without --rate"]],
    ["\nthreshold: [p99<<1]", "", ["plan.yaml:2: threshold"]],
    ["\njson: missing/r.json", "", ["plan.yaml:2: json: expected a file that can be written"]],
    ["rate: 50/s\nspeed: 1", "", ["plan.yaml:2: there is no flag speed"]],
  ] as const) {
    await writeFile(join(place.folder, "plan.yaml"), plan);
    const { code, stdout, stderr } = await place.run(`${run} ${flags}`.trim());
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    for (const error of errors) expect(stderr).toContain(`error: ${error}`);
  }
  await writeFile(join(place.folder, "plan.yaml"), "rate: fast\nduration: 1m");
  const { stdout } = await place.run(`${run} --json`);
  const { error } = JSON.parse(stdout) as { readonly error: unknown };
  expect(error).toMatchObject({
    code: "invalid-value",
    message: expect.stringContaining("plan.yaml:1: rate: ") as string,
  });
  expect(existsSync(place.stateFolder)).toBe(false);
});

test("--print-plan checks the flags, and leaves the connection string out", async () => {
  const place = await Workplace.open();
  const { stdout, stderr } = await place.succeed(
    "run --print-plan --rate 50/s --duration 1m --threshold p50<1s --connection-string",
    "Endpoint=http://localhost:1;Authentication=None;TaskHub=x",
  );
  expect(stdout).toBe("duration: 1m\nrate: 50/s\nthreshold:\n  - p50<1s\n");
  expect(stderr).toContain("the connection string is not printed");
  expect(await place.run("run --print-plan --rate 50")).toMatchObject({ code: 2, stdout: "" });
});
