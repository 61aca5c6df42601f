import { readFileSync } from "node:fs";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { freePort } from "../support/backend/free-port.js";
import { readmeBlocks } from "../support/e2e/readme-blocks.js";
import { openPlace, type } from "../support/e2e/typed-commands.js";

const PAGE = readFileSync(new URL("../../docs/your-own-orchestration.md", import.meta.url), "utf8");
const NODE_MODULES = fileURLToPath(new URL("../../node_modules", import.meta.url));
/** A busy machine may make a run invalid (96), or miss the limit (99). */
const MEASURING_CODES = [0, 96, 99];

/** As many starts as its percentile needs, in less time. */
const [LOAD, SHORT_LOAD] = ["--rate 20/s --warmup 5s --duration 1m", "--rate 100/s --warmup 500ms --duration 2500ms"];

/** The file that the page shows in this language. */
function fileIn(language: string): string {
  return new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "mu").exec(PAGE)![1]!;
}

test("the page goes from a worker in JavaScript to figures, as it is printed", { timeout: 300_000 }, async () => {
  const { place, env } = await openPlace();
  const port = String(await freePort());
  await symlink(NODE_MODULES, join(place.folder, "node_modules"));
  await writeFile(join(place.folder, "worker.mjs"), fileIn("js").replace("8080", port));
  await writeFile(join(place.folder, "orders.jsonl"), fileIn("json"));
  const emulator = place.start(`emulator --port ${port}`);
  await emulator.says(/listening for any Durable Task SDK/u);
  const worker = place.startProgram(process.execPath, ["worker.mjs"]);

  const printed = readmeBlocks(PAGE).flatMap(({ commands }) => commands);
  const upToScheduler = printed.slice(
    0,
    printed.findIndex((command) => command.includes("durabletask.io")),
  );
  // A search takes minutes, and the other programs are not here. No worker hosts the Refund of the mix.
  const commands = upToScheduler
    .filter((command) => /^(?:export|npx fanout (?:doctor|run)) /u.test(`${command} `) && !command.includes("mix.yaml"))
    .map((command) => command.replace("8080", port).replace(LOAD, SHORT_LOAD));
  const typed = await type(commands, place, env);
  expect(
    typed.filter(({ command, code }) => !(command.includes(" run ") ? MEASURING_CODES : [0]).includes(code)),
  ).toEqual([]);
  const outputs = typed.filter(({ command }) => command.includes(" run ")).map(({ output }) => output);
  expect(outputs.map((output) => /^Completed (\d+) orchestrations/mu.exec(output)?.[1])).toEqual([
    "100",
    "300",
    undefined,
    "300",
  ]);
  worker.kill("SIGTERM");
  await worker.ended;
});
