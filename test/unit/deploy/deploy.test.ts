import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { parseRunCall } from "../../../src/commands/run-call.js";

const VALIDATOR = "@action-validator/core";
type Validate = (yaml: string) => { readonly errors: readonly unknown[] };
const { validateAction, validateWorkflow } = (await import(VALIDATOR)) as Record<
  "validateAction" | "validateWorkflow",
  Validate
>;

function textOf(name: string): string {
  return readFileSync(new URL(`../../../deploy/${name}`, import.meta.url), "utf8");
}

interface IndexedJob {
  readonly spec: {
    readonly completions: number;
    readonly parallelism: number;
    readonly template: { readonly spec: { readonly containers: readonly [{ readonly args: readonly [string] }] } };
  };
}

interface Workflow {
  readonly jobs: {
    readonly shard: {
      readonly strategy: { readonly "max-parallel": number; readonly matrix: { readonly shard: readonly number[] } };
      readonly steps: readonly { readonly run?: string }[];
    };
  };
}

/** The words after `fanout run`, as a shell with these variables splits them. */
function wordsOf(command: string, env: Readonly<Record<string, string>>): readonly string[] {
  const [, flags = ""] = command.split("fanout run");
  const text = execFileSync("sh", ["-c", `printf '%s\\n' ${flags}`], { env, encoding: "utf8" });
  return text.trim().split("\n");
}

/** As commander reads `--flag value` pairs. */
function callOf(words: readonly string[]) {
  const flags: Record<string, string> = {};
  for (let at = 0; at < words.length; at += 2) {
    const name = words[at]!.slice(2).replaceAll(/-(\w)/gu, (_, letter: string) => letter.toUpperCase());
    flags[name] = words[at + 1]!;
  }
  return parseRunCall({ iterations: "10", parallelActivities: "5", workers: "auto", timeout: "10m", ...flags });
}

const RUN = { RUN_ID: "actions.12345678901.1", START_AT: new Date(Date.now() + 3_600_000).toISOString() };

describe("the Indexed Job", () => {
  const text = textOf("kubernetes/generators.yaml")
    .replaceAll("RUN_ID", RUN.RUN_ID)
    .replaceAll("START_AT", RUN.START_AT);

  test("runs each shard once", () => {
    const { completions, parallelism, template } = (parseAllDocuments(text).at(-1)!.toJS() as IndexedJob).spec;
    expect(parallelism).toBe(completions);
    const [command] = template.spec.containers[0].args;
    const shards = Array.from({ length: completions }, (_, index) => {
      const call = callOf(wordsOf(command, { JOB_COMPLETION_INDEX: `${index}` }));
      expect(call.json).toBe(`/results/${index + 1}.json`);
      return call.plan.shard;
    });
    expect(shards).toEqual(shards.map((_, index) => ({ number: index + 1, of: completions })));
  });
});

describe("the workflow of GitHub Actions", () => {
  const text = textOf("generators.github.yml");

  test("is a workflow, and a broken one is not", () => {
    expect(validateWorkflow(text).errors).toEqual([]);
    expect(validateWorkflow(text.replace("needs: begin", "needs: nothing")).errors).not.toEqual([]);
    expect(validateWorkflow(text.replace("runs-on:", "runs-at:")).errors).not.toEqual([]);
  });

  test("runs each shard once, all at the same time", () => {
    const { strategy, steps } = (parse(text) as Workflow).jobs.shard;
    const { shard: numbers } = strategy.matrix;
    expect(strategy["max-parallel"]).toBe(numbers.length);
    const command = steps.find(({ run }) => run?.includes("fanout run"))?.run ?? "";
    const env = { ...RUN, RATE: "200/s", DURATION: "5m" };
    const shards = numbers.map((number) => callOf(wordsOf(command, { ...env, SHARD: `${number}` })).plan.shard);
    expect(shards).toEqual(numbers.map((_, index) => ({ number: index + 1, of: numbers.length })));
  });
});

describe("the action of GitHub", () => {
  const text = textOf("../action.yml");

  test("is an action, and a broken one is not", () => {
    expect(validateAction(text).errors).toEqual([]);
    expect(validateAction(text.replace("using: composite", "using: compost")).errors).not.toEqual([]);
  });

  test("is used with inputs that it has, by a workflow", () => {
    const workflow = textOf("pull-request.github.yml");
    expect(validateWorkflow(workflow).errors).toEqual([]);
    const { jobs } = parse(workflow) as {
      readonly jobs: { readonly measure: { readonly steps: readonly { readonly with?: object }[] } };
    };
    const { inputs } = parse(text) as { readonly inputs: object };
    expect(Object.keys(inputs)).toEqual(expect.arrayContaining(Object.keys(jobs.measure.steps.at(-1)?.with ?? {})));
  });
});
