import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { endIdOf } from "../../../src/live/live-hub.js";
import type { ListedRun } from "../../../src/runs/listed-run.js";
import { RunArchive } from "../../../src/runs/run-archive.js";
import type { RunRecord } from "../../../src/runs/run-record.js";
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
    update: { ...sampleUpdate, run: { ...sampleUpdate.run, runId: `r${minute}` } },
    result: sampleResult,
  };
}

const IN_PROGRESS = { status: "running", endedAt: undefined, exitCode: undefined } as const;

const ASKED = { body: { iterations: 1 }, plan: () => expect.unreachable(), admit: () => expect.unreachable() };

function fingerprintOf(body: object): string {
  return createHash("sha256").update(JSON.stringify(body)).digest("hex");
}

/** What a viewer of the run is sent. */
async function eventsOf(run: ListedRun): Promise<readonly string[]> {
  const told: string[] = [];
  const { hub } = await run.watch();
  hub.add({ send: (text) => told.push(text), backlogBytes: 0, drop() {}, end() {} }, undefined);
  return told;
}

async function archiveInFolder(largestBytes?: number) {
  const folder = await mkdtemp(join(tmpdir(), "run-archive-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const said: string[] = [];
  return {
    folder,
    said,
    archive: new RunArchive({ folder, say: (line) => said.push(line), ...(largestBytes && { largestBytes }) }),
  };
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
  const written = await archive.keep(record);
  const [archived, ...others] = await archive.load();
  const { file = "" } = archived ?? {};
  expect(archived).toMatchObject({ file, bytes: written?.bytes, head: written?.head });
  expect(others).toEqual([]);
  expect(archived?.head).toEqual({ facts: record.facts, start, hasResult: true });
  expect(await archived?.readUpdate()).toEqual(JSON.parse(JSON.stringify(record.update)));
  expect(await archived?.readResult()).toEqual(sampleResult);
  for (const one of [archived, written]) {
    const { bytes = 0, stream } = (await one?.openResult()) ?? {};
    const result = await text(stream!);
    expect(result).toBe(JSON.stringify(sampleResult));
    expect(Buffer.byteLength(result)).toBe(bytes);
  }
  expect(await readdir(folder)).toEqual([file]);
  expect(said).toEqual([]);
});

test("what is no run is skipped, and said once", async () => {
  const { archive, folder, said } = await archiveInFolder();
  await archive.keep(recordAt(0));
  const [file = ""] = await readdir(folder);
  const record = await readFile(join(folder, file), "utf8");
  const names = ["1", "2", "3"].map((digit) => file.replace("r0", `x${digit}`));
  await writeFile(join(folder, names[0]!), record);
  await writeFile(join(folder, names[1]!), record.slice(0, 100));
  await writeFile(join(folder, names[2]!), "");
  await writeFile(join(folder, "notes.txt"), "mine");
  const runs = await restored(archive);
  expect(runs.all.map(({ runId }) => runId)).toEqual(["r0"]);
  expect(said).toEqual([`warning: not a run, and skipped, in '${folder}': ${names.join(", ")}`]);
  expect(await readdir(folder)).toHaveLength(5);
});

test("a result that somebody has changed is none, and its run is still listed", async () => {
  const { archive, folder } = await archiveInFolder();
  await archive.keep(recordAt(0));
  const [file = ""] = await readdir(folder);
  const [head, update] = (await readFile(join(folder, file), "utf8")).split("\n");
  await writeFile(join(folder, file), `${head}\n${update}\n{"schemaVersion": "x"}\n`);
  const [run] = (await restored(archive)).all;
  expect(run?.hasResult).toBe(true);
  expect(await run?.readResult()).toBeUndefined();
});

test.each([
  ["longer by now", (lines: readonly string[]) => [...lines, " "]],
  [
    "cut off within its result",
    ([head, update, result = ""]: readonly string[]) => [head, update, result.slice(0, -9)],
  ],
  ["without a third line", ([head, update]: readonly string[]) => [head, update, ""]],
  ["of one line", ([head]: readonly string[]) => [head]],
])("a file that is %s gives no text of a result, also if it is found so", async (_, changed) => {
  const { archive, folder } = await archiveInFolder();
  const before = await archive.keep(recordAt(0));
  const file = join(folder, before?.file ?? "");
  await writeFile(file, changed((await readFile(file, "utf8")).split("\n")).join("\n"));
  const [found] = await archive.load();
  expect(await before?.openResult()).toBeUndefined();
  expect(await found?.openResult()).toBeUndefined();
  await rm(file);
  expect(await before?.openResult()).toBeUndefined();
});

test("the last 50 runs are kept, and older ones deleted with what a crash has left, but not what is no run", async () => {
  const { archive, folder } = await archiveInFolder();
  for (let minute = 0; minute < 52; minute += 1) await archive.keep(recordAt(minute));
  const [name = ""] = await readdir(folder);
  await writeFile(join(folder, `.${name}.11111111-1111-1111-1111-111111111111`), "half");
  const foreign = "00000000000000-mine.jsonl";
  await writeFile(join(folder, foreign), "{}\n");
  const runs = await restored(archive);
  expect(runs.all.map(({ runId }) => runId)).toEqual(Array.from({ length: 50 }, (_, index) => `r${51 - index}`));
  const names = await readdir(folder);
  expect(names).toHaveLength(51);
  expect(names).toContain(foreign);
});

test("a run whose server is gone has failed, also at the next start and in a folder that cannot be written to", async () => {
  const { archive, folder, said } = await archiveInFolder();
  const key = { key: "nightly", fingerprint: fingerprintOf({ iterations: 1 }) };
  await archive.begin({ ...recordAt(0, IN_PROGRESS), start: key, result: undefined });
  const [file = ""] = await readdir(folder);
  const before = await readFile(join(folder, file), "utf8");
  for (const runs of [await restored(archive), await restored(archive)]) {
    expect(runs.all).toMatchObject([
      { runId: "r0", status: "failed", hasEnded: true, hasResult: false, failure: { code: "run-died" } },
    ]);
    const told = await eventsOf(runs.all[0]!);
    expect(told.join("")).toContain('"kind":"failed","why":"The server ended before the run did, ');
    expect(told.at(-1)).toContain("event: ended");
    expect(await runs.start({ ...ASKED, key: "nightly" })).toBe(runs.get("r0"));
  }
  expect(await readFile(join(folder, file), "utf8")).toBe(before);
  expect(said).toEqual([]);
});

test("a result that is too large to keep leaves a run that has completed, without it", async () => {
  const { archive, said } = await archiveInFolder(10_000);
  await archive.begin({ ...recordAt(0, IN_PROGRESS), result: undefined });
  const labels = { notes: "x".repeat(20_000) };
  const record = { ...recordAt(0), result: { ...sampleResult, plan: { ...sampleResult.plan, labels } } };
  expect(await archive.keep(record)).toBeUndefined();
  expect(said).toEqual([expect.stringMatching(/^warning: run r0 could not be written .* more than 10 kB$/u)]);
  const [run] = (await restored(archive)).all;
  expect(run).toMatchObject({ status: "completed", exitCode: 0, hasResult: false, failure: { code: "no-result" } });
  expect(run?.failure?.message).toMatch(/^The server could not keep the result on disk: it takes [\d.]+ kB/u);
  expect(await run?.readResult()).toBeUndefined();
  const told = (await eventsOf(run!)).join("");
  expect(told).toContain('"phase":{"kind":"ended","why":"The server could not keep the result on disk: ');
  expect(told).toContain('"intervals":[]');
});

test("a run whose end cannot be written at all is not listed as one in progress", async () => {
  const { archive, folder, said } = await archiveInFolder(10_000);
  await archive.begin({ ...recordAt(0, IN_PROGRESS), result: undefined });
  const gaveUp = "x".repeat(20_000);
  expect(await archive.keep(recordAt(0, { gaveUp }))).toBeUndefined();
  expect(said).toHaveLength(1);
  expect(await readdir(folder)).toEqual([]);
});

test("the last event of a run whose file is gone has the id of that run, so that a page that has seen it comes no more", async () => {
  const { archive, folder } = await archiveInFolder();
  await archive.keep(recordAt(0, { status: "failed", failure: { code: "run-died", message: "It died." } }));
  const { all } = await restored(archive);
  await rm(join(folder, (await readdir(folder))[0]!));
  expect((await eventsOf(all[0]!)).at(-1)).toMatch(new RegExp(`^id: ${endIdOf("r0")}\n`, "u"));
});

test("a key of before is that of its run", async () => {
  const { archive } = await archiveInFolder();
  const asked = { ...ASKED, key: "nightly" };
  const fingerprint = fingerprintOf(asked.body);
  await archive.keep({ ...recordAt(0), start: { key: "nightly", fingerprint } });
  const runs = await restored(archive);
  expect(await runs.start(asked)).toBe(runs.get("r0"));
  await expect(runs.start({ ...asked, body: {} })).rejects.toMatchObject({ code: "idempotency-key-reused" });
});

test("a folder that cannot be made is said, and does no harm", async () => {
  const { folder, said } = await archiveInFolder();
  await writeFile(join(folder, "file"), "");
  const archive = new RunArchive({ folder: join(folder, "file"), say: (line) => said.push(line) });
  expect(await archive.load()).toEqual([]);
  await archive.begin(recordAt(0));
  expect(said).toHaveLength(1);
  expect(await archive.keep(recordAt(0))).toBeUndefined();
  expect(said).toHaveLength(2);
  expect(said[0]).toMatch(/^warning: runs of before cannot be read from /u);
  expect(said[1]).toMatch(/^warning: run r0 could not be written to /u);
});
