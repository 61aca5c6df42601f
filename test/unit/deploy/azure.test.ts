import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseDuration } from "../../../src/format/duration.js";

const ROOT = new URL("../../../", import.meta.url);
const page = readFileSync(new URL("docs/on-azure.md", ROOT), "utf8");
const template = readFileSync(new URL("deploy/azure/main.bicep", ROOT), "utf8");
const commands = [...page.matchAll(/```sh\n(?<text>[\s\S]*?)```/gu)].map(({ groups }) => groups!["text"]!);

function given(name: string, text: string): readonly string[] {
  return [...text.matchAll(new RegExp(`${name}=(?<value>[\\w-]+)`, "gu"))].map(({ groups }) => groups!["value"]!);
}

test("the commands of the page name files that exist", () => {
  const files = commands.flatMap((text) => [...text.matchAll(/deploy\/[\w./]+/gu)].map(([file]) => file));
  expect(new Set(files)).toEqual(new Set(["deploy/Dockerfile", "deploy/azure/main.bicep"]));
  expect(files.filter((file) => !existsSync(new URL(file, ROOT)))).toEqual([]);
});

test("the parameters that the page sets are those of the template, and the template gives every other one a default", () => {
  const params = [...template.matchAll(/^param (?<name>\w+) [\w[\]]+(?<value> =)?/gmu)].map(({ groups }) => groups!);
  const set = [...page.matchAll(/\b(?<name>[a-z]+[A-Z]\w+)=/gu)].map(({ groups }) => groups!["name"]!);
  expect(params.map(({ name }) => name)).toEqual(expect.arrayContaining(set));
  expect(set).toEqual(expect.arrayContaining(params.flatMap(({ name, value }) => (value ? [] : [name!]))));
});

test("the page names the job and the container that the template makes", () => {
  expect(template).toContain("name: '${name}-run'");
  expect(template).toContain("param name string = 'fanout'");
  expect(page.match(/--name fanout-run\b/gu)?.length).toBeGreaterThan(2);
  expect(template).toContain("name: 'run'");
  expect(page).toContain("--container run ");
});

test("the worker has 5 s or more behind its drain before it is killed, and scales by what it holds", () => {
  const [grace] = /terminationGracePeriodSeconds: (?<s>\d+)/u.exec(template)?.slice(1) ?? [];
  const [drain] = given("--drain-timeout", template);
  expect(Number(grace) * 1_000 - parseDuration(drain!)!).toBeGreaterThanOrEqual(5_000);
  for (const held of ["activitiesPerWorker", "orchestratorsPerWorker"])
    expect(template.match(new RegExp(held, "gu"))).toHaveLength(3);
});

test("the load of the job keeps within its actions", () => {
  const [rate] = given("--rate", template);
  const seconds = ["--duration", "--warmup"].map((flag) => parseDuration(given(flag, template)[0]!)! / 1_000);
  const actions = Number(rate) * seconds.reduce((sum, length) => sum + length, 0) * 101;
  expect(actions).toBeLessThanOrEqual(Number(given("--max-actions", template)[0]));
  expect(page).toContain(`about ${Math.round(actions / 1_000)},000`);
});
