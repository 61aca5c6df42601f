import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { RunArchive } from "../../../src/runs/run-archive.js";
import { resultIn, updateIn, type RunRecord } from "../../../src/runs/run-record.js";
import { ServedRuns } from "../../../src/runs/served-runs.js";
import { sampleUpdate } from "../../support/live/sample-update.js";
import { sampleResult } from "../../support/report/sample-result.js";

const NOON_MS = Date.UTC(2030, 0, 2, 12);

/** A run that began so many minutes after noon. */
function recordAt(minute: number, facts: Partial<RunRecord["facts"]> = {}): RunRecord {
  const created = new Date(NOON_MS + minute * 60_000);
  return {
    facts: {
      runId: `r${minute}`,
      status: "completed",
      created,
      endedAt: new Date(created.getTime() + 30_000),
      planLine: "as the test plans it",
      plan: sampleResult.plan,
      exitCode: 0,
      lines: ["a line"],
      ...facts,
    },
    serverPid: process.pid,
    update: { ...sampleUpdate, run: { ...sampleUpdate.run, runId: `r${minute}` } },
    result: sampleResult,
  };
}

async function archiveInFolder() {
  const folder = await mkdtemp(join(tmpdir(), "run-archive-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const said: string[] = [];
  return { folder, said, archive: new RunArchive({ folder, say: (line) => said.push(line) }) };
}

async function restored(archive: RunArchive): Promise<ServedRuns> {
  const runs = new ServedRuns({
    most: 1,
    start: () => Promise.reject(new Error("nothing is started")),
    onStart: () => {},
    archive,
    bodyOf: ({ runId, status }) => ({ runId, status }),
  });
  await runs.restore();
  return runs;
}

test("a record is read as it was written, with its result and its last update", async () => {
  const { archive, folder, said } = await archiveInFolder();
  const start = { key: "nightly", fingerprint: "abc" };
  const record = { ...recordAt(0), start };
  const written = await archive.write(record);
  const [archived, ...others] = await archive.load(50);
  expect(archived).toEqual({ ...written, head: { ...written?.head, hasResult: true } });
  expect(others).toEqual([]);
  expect(archived?.head).toEqual({ facts: record.facts, start, serverPid: process.pid, hasResult: true });
  const { file = "" } = archived ?? {};
  expect(await archive.read(file, updateIn)).toEqual(JSON.parse(JSON.stringify(record.update)));
  expect(await archive.read(file, (text) => resultIn(text, file))).toEqual(sampleResult);
  expect(await readdir(folder)).toEqual([file]);
  expect(said).toEqual([]);
});

test("what is no run is skipped, and said once", async () => {
  const { archive, folder, said } = await archiveInFolder();
  await archive.write(recordAt(0));
  const [file = ""] = await readdir(folder);
  const text = await readFile(join(folder, file), "utf8");
  const names = ["1", "2", "3"].map((digit) => file.replace("r0", `x${digit}`));
  await writeFile(join(folder, names[0]!), text);
  await writeFile(join(folder, names[1]!), text.slice(0, 100));
  await writeFile(join(folder, names[2]!), "");
  await writeFile(join(folder, "notes.txt"), "mine");
  const runs = await restored(archive);
  expect(runs.all.map(({ runId }) => runId)).toEqual(["r0"]);
  expect(said).toEqual([`warning: not a run, and skipped, in '${folder}': ${names.join(", ")}`]);
  expect(await readdir(folder)).toHaveLength(5);
});

test("a result that somebody has changed is none, and its run is still listed", async () => {
  const { archive, folder } = await archiveInFolder();
  await archive.write(recordAt(0));
  const [file = ""] = await readdir(folder);
  const [head, update] = (await readFile(join(folder, file), "utf8")).split("\n");
  await writeFile(join(folder, file), `${head}\n${update}\n{"schemaVersion": "x"}\n`);
  const [run] = (await restored(archive)).all;
  expect(run?.hasResult).toBe(true);
  expect(await run?.readResult()).toBeUndefined();
});

test("the last 50 runs are kept, and older ones deleted with what a crash has left", async () => {
  const { archive, folder } = await archiveInFolder();
  for (let minute = 0; minute < 52; minute += 1) await archive.write(recordAt(minute));
  const [name = ""] = await readdir(folder);
  const [old, young] = ["1", "2"].map((digit) => `.${name}.${digit.repeat(8)}-1111-1111-1111-111111111111`);
  for (const temporary of [old!, young!]) await writeFile(join(folder, temporary), "half");
  await utimes(join(folder, old!), 0, 0);
  const runs = await restored(archive);
  expect(runs.all.map(({ runId }) => runId)).toEqual(Array.from({ length: 50 }, (_, index) => `r${51 - index}`));
  const names = await readdir(folder);
  expect(names).toHaveLength(51);
  expect(names).toContain(young);
});

test("a run whose server is gone has failed, also at the next start, and one of a living server is not ours", async () => {
  const { archive, said } = await archiveInFolder();
  const inProgress = { status: "running", endedAt: undefined, exitCode: undefined } as const;
  const { result: _result, ...cut } = recordAt(0, inProgress);
  await archive.write(cut);
  await archive.write({ ...cut, ...recordAt(1, inProgress), result: undefined, serverPid: process.ppid });
  for (const runs of [await restored(archive), await restored(archive)]) {
    expect(runs.all).toMatchObject([
      { runId: "r0", status: "failed", hasEnded: true, hasResult: false, failure: { code: "run-died" } },
    ]);
    const told: string[] = [];
    const { hub } = await runs.all[0]!.watch();
    hub.add({ send: (text) => told.push(text), backlogBytes: 0, drop() {}, end() {} }, undefined);
    expect(told.join("")).toContain('"kind":"failed","why":"The server ended before the run did.');
    expect(told.at(-1)).toContain("event: ended");
  }
  expect(said).toEqual([]);
});

test("a key of before is that of its run", async () => {
  const { archive } = await archiveInFolder();
  const body = { iterations: 1 };
  const asked = { body, key: "nightly", plan: () => expect.unreachable(), admit: () => expect.unreachable() };
  const fingerprint = createHash("sha256").update(JSON.stringify(body)).digest("hex");
  await archive.write({ ...recordAt(0), start: { key: "nightly", fingerprint } });
  const runs = await restored(archive);
  expect(await runs.start(asked)).toBe(runs.get("r0"));
  await expect(runs.start({ ...asked, body: {} })).rejects.toMatchObject({ code: "idempotency-key-reused" });
});

test("a folder that cannot be made is said, and does no harm", async () => {
  const { folder, said } = await archiveInFolder();
  await writeFile(join(folder, "file"), "");
  const archive = new RunArchive({ folder: join(folder, "file"), say: (line) => said.push(line) });
  expect(await archive.load(50)).toEqual([]);
  expect(await archive.write(recordAt(0), "quietly")).toBeUndefined();
  expect(await archive.write(recordAt(0))).toBeUndefined();
  expect(said).toHaveLength(2);
  expect(said[0]).toMatch(/^warning: runs of before cannot be read from /u);
  expect(said[1]).toMatch(/^warning: run r0 could not be written to /u);
});
