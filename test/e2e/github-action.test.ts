import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { Workplace } from "../support/e2e/workplace.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

interface Step {
  readonly name?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const { inputs, runs } = parse(readFileSync(join(ROOT, "action.yml"), "utf8")) as {
  readonly inputs: Readonly<Record<string, { readonly default: string }>>;
  readonly runs: { readonly steps: readonly Step[] };
};

/** A runner of GitHub Actions that executes the shell steps of the action. Its `gh` is a script that keeps what it was asked. */
class Runner {
  readonly temp: string;
  readonly #outputs: string;
  readonly #bin: string;

  constructor(
    readonly place: Workplace,
    readonly given: Readonly<Record<string, string>>,
  ) {
    this.temp = join(place.folder, "runner");
    this.#bin = join(place.folder, "bin");
    this.#outputs = join(place.folder, "outputs");
    for (const folder of [this.temp, this.#bin]) mkdirSync(folder, { recursive: true });
    writeFileSync(this.#outputs, "");
  }

  /** The answer of `gh`, in the shell. */
  github(script: string): void {
    writeFileSync(join(this.#bin, "gh"), `#!/bin/bash\n${script}\n`, { mode: 0o755 });
  }

  step(name: string): { readonly code: number | null; readonly output: string } {
    const { run, env = {} } = runs.steps.find((step) => step.name === name)!;
    const values = Object.fromEntries(Object.entries(env).map(([key, text]) => [key, this.#evaluate(text)]));
    const { status, stdout, stderr } = spawnSync("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", run!], {
      env: {
        ...this.place.env,
        ...values,
        PATH: [this.#bin, dirname(process.execPath), this.place.env["PATH"]].join(":"),
        GITHUB_OUTPUT: this.#outputs,
      },
      encoding: "utf8",
    });
    return { code: status, output: stdout + stderr };
  }

  get outputs(): Readonly<Record<string, string>> {
    const lines = readFileSync(this.#outputs, "utf8").trim().split("\n");
    return Object.fromEntries(lines.map((line) => line.split("=", 2) as [string, string]));
  }

  #evaluate(text: string): string {
    return text.replaceAll(/\$\{\{ (?<path>[\w.-]+) \}\}/gu, (_, path: string) => {
      if (path === "runner.temp") return this.temp;
      if (path === "github.action_path") return ROOT;
      if (path.startsWith("inputs.")) return this.given[path.slice(7)] ?? inputs[path.slice(7)]!.default;
      if (path.startsWith("steps.run.outputs.")) return this.outputs[path.slice(18)] ?? "";
      return `the-${path}`;
    });
  }
}

const SMALL = "--workers 1 --parallel-orchestrations 20 --iterations 1 --parallel-activities 1";

test("the action compares a run with the baseline that an earlier one kept, and comments on it", async () => {
  const place = await Workplace.open();
  const runner = new Runner(place, { arguments: `${SMALL} --label 'note=a $(touch evil)'`, repeat: "3" });
  runner.github("exit 0");
  expect(runner.step("Get the baseline").output).toContain("so this run is compared with nothing");
  expect(runner.step("Run fanout").output).toContain("note=a $(touch evil)");
  expect(runner.outputs).toMatchObject({ "exit-code": "0" });
  expect(runner.step("Fail as fanout did").code).toBe(0);

  const asked = join(place.folder, "asked");
  const kept = join(place.folder, "kept.json");
  copyFileSync(runner.outputs["result"]!, kept);
  runner.github(`echo "$@" >> ${asked}
    if [ "$1 $2" = "run list" ]; then echo 8; echo 7; fi
    if [ "$1 $2 $3" = "run download 8" ]; then exit 1; fi
    if [ "$1 $2" = "run download" ]; then cp ${kept} "\${@: -1}/result.json"; fi
    if [ "$1 $2" = "api --paginate" ]; then echo 99; fi`);
  expect(runner.step("Get the baseline").output).toContain("The baseline is that of run 7");
  runner.step("Run fanout");
  expect(readFileSync(join(runner.temp, "fanout/summary.md"), "utf8")).toMatch(/^### fanout: .* against /mu);
  expect(runner.step("Comment on the pull request")).toMatchObject({ code: 0, output: "" });
  expect(readFileSync(asked, "utf8")).toMatch(
    /PATCH repos\/[\w./-]+\/issues\/comments\/99 --raw-field body=<!-- fanout fanout-baseline -->/u,
  );
});

test("a pull request that may not be commented on gets a warning", async () => {
  const runner = new Runner(await Workplace.open(), { arguments: SMALL, repeat: "1" });
  runner.step("Run fanout");
  runner.github("echo HTTP 403 >&2; exit 1");
  expect(runner.step("Comment on the pull request")).toMatchObject({
    code: 0,
    output: expect.stringContaining("::warning::The summary could not be written") as string,
  });
});

test.each([
  ["a threshold is missed", "--threshold 'activities/s>1000000'", 99],
  ["a flag is wrong", "--iterations none", 2],
])("the action fails with the exit code of fanout if %s", async (_, more, code) => {
  const runner = new Runner(await Workplace.open(), { arguments: `${SMALL} ${more}`, repeat: "1" });
  runner.step("Run fanout");
  expect(runner.outputs).toMatchObject({ "exit-code": `${code}` });
  expect(runner.step("Fail as fanout did").code).toBe(code);
});
