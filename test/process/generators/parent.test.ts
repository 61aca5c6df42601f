import { fork } from "node:child_process";
import { once } from "node:events";
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
