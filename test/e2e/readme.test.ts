import { existsSync, readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { freePort } from "../support/backend/free-port.js";
import { readmeBlocks, shapeOf, type Block } from "../support/e2e/readme-blocks.js";
import { openPlace, type } from "../support/e2e/typed-commands.js";

const ROOT = new URL("../../", import.meta.url);
const BLOCKS = readmeBlocks(read("README.md"));
/** A busy machine may make a run invalid (96), and a side slower than the other (98). */
const MEASURING_CODES = [0, 96, 98];

function read(file: string): string {
  return readFileSync(new URL(file, ROOT), "utf8");
}

function commandsOf(kind: Block["kind"]): readonly string[] {
  return BLOCKS.filter((block) => block.kind === kind).flatMap(({ commands }) => commands);
}

describe("the README", () => {
  test(
    "its commands work when they are typed in order, and print the output that it shows",
    { timeout: 300_000 },
    async () => {
      const { place, env } = await openPlace();
      const ports = { worker: await freePort(), serve: await freePort() };
      const commands = commandsOf("run").map((command) =>
        command
          // Other tests on this machine may use the printed ports.
          .replaceAll("fanout worker", `fanout worker --port ${ports.worker}`)
          .replaceAll("5050", String(ports.serve))
          // Shorter and fewer runs show the same, and so do runs that need not find out that there is no worker.
          .replace(
            /fanout run (?=--(?:rate|repeat|duration|run-id|parallel-orchestrations 20) )/u,
            "fanout run --workers 1 ",
          )
          .replace("--duration 10s", "--duration 1s")
          .replace(/run \\\n {2}--parallel-orchestrations 100 /u, "run --workers 1 --parallel-orchestrations 20 ")
          .replace("--repeat 5", "--repeat 1"),
      );
      const typed = await type(commands, place, env);
      const failed = typed.filter(
        ({ command, code }) => !(/fanout (?:run|compare) /u.test(command) ? MEASURING_CODES : [0]).includes(code),
      );
      expect(failed).toEqual([]);

      const shown = BLOCKS.find(({ kind }) => kind === "output")!.text;
      const printed = shapeOf(typed[0]!.output);
      expect(shapeOf(shown).filter((line) => !printed.includes(line))).toEqual([]);
      const of = (part: string): string => typed.find(({ command }) => command.includes(part))!.output;
      expect(of("status --run nightly")).toMatch(/^ +instances +20: 20 Completed$/mu);
      expect(of("purge --run nightly")).toContain("purged 20 instances");
      expect(of("api/orchestrations/$id")).toMatch(/"status":"Completed"/u);
      expect(await readdir(place.folder)).toEqual(
        expect.arrayContaining(["before.json", "junit.xml", "report.html", "result.json"]),
      );
    },
  );

  test("fanout accepts the commands that need a Scheduler, a worker of your own, or minutes", async () => {
    const { place, env } = await openPlace();
    const printed = [...commandsOf("needs-scheduler"), ...commandsOf("needs-worker"), ...commandsOf("takes-minutes")];
    const commands = printed
      .filter((command) => !command.startsWith("kill "))
      .map((command) => command.replace(/ &$/u, ""))
      .map((command) =>
        command.startsWith("npx fanout")
          ? `${command} ${/fanout run /u.test(command) ? "--dry-run" : "--help"}`
          : command,
      );
    const typed = await type(commands, place, env);
    expect(typed.filter(({ code, output }) => code !== 0 || /refused/u.test(output))).toEqual([]);
    expect(typed.map(({ output }) => output).join("")).toContain("https://name.region.durabletask.io, task hub HUB");
  });

  test("CI runs its first command on a fresh clone", () => {
    const [first = "", ...more] = commandsOf("install");
    expect(more).toEqual([]);
    expect(read(".ci/run")).toContain(`walk run '${first}'`);
  });

  test("each fenced block says what it is, and the page stays below 250 lines", () => {
    expect(BLOCKS.filter(({ kind }) => kind === undefined)).toEqual([]);
    expect(read("README.md").split("\n").length).toBeLessThan(250);
  });
});

test("each link of the README and of docs/ leads to an existing file and heading", async () => {
  const docs = (await readdir(new URL("docs", ROOT))).filter((name) => name.endsWith(".md"));
  const pages = ["README.md", "CONTRIBUTING.md", ...docs.map((name) => `docs/${name}`)];
  const broken = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/gu)]
      .filter(([, file = "", heading]) => !leadsTo(file === "" ? page : join(page, "..", file), heading))
      .map(([link]) => `${page}: ${link}`),
  );
  expect(broken).toEqual([]);
});

function leadsTo(target: string, heading: string | undefined): boolean {
  if (!existsSync(new URL(target, ROOT))) return false;
  return heading === undefined || headingsOf(target).includes(heading);
}

/** The headings of a page, as links name them. */
function headingsOf(page: string): readonly string[] {
  return [...read(page).matchAll(/^#+ (.+)$/gmu)].map(([, text = ""]) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
