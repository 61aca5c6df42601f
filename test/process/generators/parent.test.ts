import { fork, type ChildProcess } from "node:child_process";
import { on, once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const PARENT = new URL("../../../dist/generators/parent.js", import.meta.url);

test("a process says that it is alive while its task has no progress to tell", async () => {
  const folder = await mkdtemp(join(tmpdir(), "generator-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const entry = join(folder, "waits.mjs");
  await writeFile(
    entry,
    `import { takeTask } from "${PARENT.href}"; takeTask(() => new Promise(() => {}), "end-in-order");`,
  );
  const child = fork(entry, [], { execArgv: [] });
  onTestFinished(() => void child.kill("SIGKILL"));
  child.send({ type: "prepare", task: {} });
  expect((await once(child, "message"))[0]).toEqual({ type: "alive" });
});

/** A shard whose work goes on until Ctrl-C, and which has told that it is ready. */
async function startedShard({ isJudged }: { readonly isJudged: boolean }): Promise<ChildProcess> {
  const folder = await mkdtemp(join(tmpdir(), "generator-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const entry = join(folder, "shard.mjs");
  await writeFile(
    entry,
    `import { takeTask, tellParent, tellingParts } from "${PARENT.href}";
    takeTask(async (task, interruption) => {
      const parts = { part: () => ({}), standing: () => ({}), isJudged: task.isJudged };
      return tellingParts(parts, async () => {
        await tellParent({ type: "ready" });
        await new Promise((resolve) => interruption.addEventListener("abort", resolve));
        return {};
      });
    }, "end-in-order");`,
  );
  const child = fork(entry, [], { execArgv: [] });
  onTestFinished(() => void child.kill("SIGKILL"));
  child.send({ type: "prepare", task: { isJudged } });
  expect((await once(child, "message"))[0]).toEqual({ type: "ready" });
  return child;
}

/** The types of the messages up to the nth of one type. */
async function typesUntil(child: ChildProcess, last: string, count = 1): Promise<readonly string[]> {
  const types: string[] = [];
  for await (const [{ type }] of on(child, "message") as AsyncIterable<[{ readonly type: string }]>) {
    types.push(type);
    if (types.filter((each) => each === last).length === count) break;
  }
  return types;
}

test("a shard tells how it stands only while somebody looks, and at its end", async () => {
  const child = await startedShard({ isJudged: false });
  expect(new Set(await typesUntil(child, "alive", 2))).toEqual(new Set(["alive"]));
  child.send({ type: "watch", isWatched: true });
  expect(await typesUntil(child, "part")).toContain("standing");
  child.send({ type: "watch", isWatched: false });
  child.send({ type: "interrupt" });
  expect((await typesUntil(child, "ended")).slice(-3)).toEqual(["standing", "part", "ended"]);
});

test("a shard of a run that is judged tells how it stands without a viewer, and nothing else of what it shows", async () => {
  const child = await startedShard({ isJudged: true });
  expect(new Set(await typesUntil(child, "standing", 2))).toEqual(new Set(["alive", "standing"]));
});
