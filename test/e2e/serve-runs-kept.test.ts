import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { RunApi, RUNS, type ServerEvent } from "../support/e2e/run-api.js";
import { ENDLESS, inFlight, serving, SMALL } from "../support/e2e/serving-runs.js";
import { Workplace } from "../support/e2e/workplace.js";

const KEY = { "idempotency-key": '"nightly"' };

async function servingAgain(place: Workplace) {
  const serve = place.start("serve --port 0");
  return { serve, api: await RunApi.of(serve) };
}

async function eventsOf(api: RunApi, runId: string): Promise<readonly ServerEvent[]> {
  const events: ServerEvent[] = [];
  for await (const event of api.events(runId)) events.push(event);
  return events;
}

test("runs of before are there after a restart: in the list, with result, events, report and key", async () => {
  const { place, serve, api } = await serving();
  const { runId } = (await api.start(SMALL, KEY)).body;
  await api.ended(runId);
  const cancelled = (await api.start(ENDLESS)).body.runId;
  await inFlight(api, cancelled);
  const [list, one, events] = [await api.ask(RUNS), await api.get(runId), await eventsOf(api, runId)];
  const result = await api.ask(`${RUNS}/${runId}/result`);
  serve.kill("SIGTERM");
  expect(await serve.ended).toMatchObject({ code: 0 });

  const again = await servingAgain(place);
  const { runs } = (await again.api.ask<{ runs: { runId: string; status: string }[] }>(RUNS)).body;
  expect(runs).toMatchObject([
    { runId: cancelled, status: "cancelled" },
    { runId, status: "completed" },
  ]);
  expect(runs[1]).toEqual((list.body as { runs: unknown[] }).runs[1]);
  expect((await again.api.get(runId)).body).toEqual(one.body);
  expect((await again.api.ask(`${RUNS}/${runId}/result`)).body).toEqual(result.body);
  expect(await again.api.ask(`${RUNS}/${cancelled}/result`)).toMatchObject({ body: { interrupted: true } });
  const eventsAgain = await eventsOf(again.api, runId);
  expect(eventsAgain.map(({ event, data }) => ({ event, data }))).toEqual(
    events.map(({ event, data }) => ({ event, data })),
  );
  const page = await fetch(`${again.api.url}/runs/${runId}`);
  expect(page.url).toBe(`${again.api.url}/runs/${runId}/report`);
  expect(await page.text()).toContain(runId);
  expect(await again.api.start(SMALL, KEY)).toMatchObject({ status: 201, body: { runId, status: "completed" } });
  expect(await again.api.start(ENDLESS, KEY)).toMatchObject({ status: 422 });
  expect(await again.api.start({ ...SMALL, runId })).toMatchObject({ status: 409, body: { code: "run-id-taken" } });
});

test("a result is sent as it was written, and a result whose file is gone is none", async () => {
  const { place, api } = await serving();
  const { runId } = (await api.start(SMALL)).body;
  await api.ended(runId);
  const [archive = ""] = await readdir(join(place.stateFolder, "served-runs"));
  const folder = join(place.stateFolder, "served-runs", archive);
  // While it is written it has another name beside this one.
  const name = (await readdir(folder)).find((each) => each.endsWith(`-${runId}.jsonl`))!;
  const path = `${api.url}${RUNS}/${runId}/result`;
  // The end of the run is told before it is on disk.
  await expect.poll(() => readFile(join(folder, name), "utf8")).toMatch(/"hasResult":true/u);
  const [, , written = ""] = (await readFile(join(folder, name), "utf8")).split("\n");
  for (const method of ["GET", "HEAD"]) {
    const { status, headers, text } = await answerTo(path, method);
    expect({ status, text }).toEqual({ status: 200, text: method === "GET" ? written : "" });
    expect(headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(headers.get("content-length")).toBe(String(Buffer.byteLength(written)));
  }
  await rm(join(folder, name));
  const gone = await answerTo(path, "GET");
  expect(gone.headers.get("content-type")).toBe("application/problem+json");
  expect({ ...gone, text: JSON.parse(gone.text) as unknown }).toMatchObject({
    status: 404,
    text: { code: "no-result", detail: "The file with the result of the run is gone, or was changed." },
  });
});

async function answerTo(url: string, method: string) {
  const response = await fetch(url, { method });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

test("a run that the end of its server cut off is listed as failed, and files of others are left alone", async () => {
  const { place, serve, api } = await serving();
  const { runId } = (await api.start({ ...ENDLESS, label: ["team=blue"] })).body;
  await inFlight(api, runId);
  serve.kill("SIGKILL");
  await serve.ended;
  const [archive = ""] = await readdir(join(place.stateFolder, "served-runs"));
  const folder = join(place.stateFolder, "served-runs", archive);
  const foreign = "00001234567890-mine.jsonl";
  await writeFile(join(folder, foreign), "{}\n");
  const again = await servingAgain(place);
  await again.serve.says(/^warning: not a run, and skipped, in '.*': 00001234567890-mine\.jsonl$/mu);
  expect(await again.api.get(runId)).toMatchObject({
    status: 200,
    body: { status: "failed", plan: { labels: { team: "blue" } }, error: { code: "run-died" } },
  });
  expect(await again.api.ask(`${RUNS}/${runId}/result`)).toMatchObject({ status: 404, body: { code: "no-result" } });
  const [update, ended] = await eventsOf(again.api, runId);
  expect(update).toMatchObject({ data: { run: { runId }, phase: { kind: "failed" } } });
  expect(ended).toMatchObject({ event: "ended", data: { runId, status: "failed" } });
  const names = await readdir(folder);
  expect(names).toContain(foreign);
  // A page that has seen the end comes no more, also if the file is gone.
  await rm(
    join(
      folder,
      names.find((name) => name.endsWith(`-${runId}.jsonl`))!,
    ),
  );
  const [last] = await eventsOf(again.api, runId);
  expect(last).toMatchObject({ event: "ended", id: ended?.id });
  const headers = { "last-event-id": last?.id ?? "" };
  expect(await again.api.ask(`${RUNS}/${runId}/events`, { headers })).toMatchObject({ status: 204 });
});

test("a server of another task hub, and one with a key, have runs and keys of their own", async () => {
  const { place, serve, api } = await serving();
  const { runId } = (await api.start(SMALL, KEY)).body;
  await api.ended(runId);
  serve.kill("SIGTERM");
  await serve.ended;
  const apiKey = "0123456789abcdef";
  const others = [
    await RunApi.of(place.start("serve --port 0 --task-hub other")),
    await RunApi.of(place.start(`serve --port 0 --api-key ${apiKey}`), { "x-api-key": apiKey }),
  ];
  for (const other of others) {
    expect(await other.ask(RUNS)).toMatchObject({ status: 200, body: { runs: [] } });
    expect((await other.start(SMALL, KEY)).body.runId).not.toBe(runId);
  }
});

test("a second server of the same backend keeps its runs in memory, says so, and leaves the first one's alone", async () => {
  const { place, serve, api } = await serving();
  const { runId } = (await api.start(SMALL)).body;
  await api.ended(runId);
  const second = await servingAgain(place);
  await second.serve.says(/^warning: runs are kept in memory only.*: another server of this backend and task hub/mu);
  expect(await second.api.ask(RUNS)).toMatchObject({ body: { runs: [] } });
  const inMemory = (await second.api.start(SMALL)).body.runId;
  await second.api.ended(inMemory);
  expect(await second.api.ask(`${RUNS}/${inMemory}/result`)).toMatchObject({ status: 200 });
  for (const each of [serve, second.serve]) each.kill("SIGKILL");
  await Promise.all([serve.ended, second.serve.ended]);
  const { api: third } = await servingAgain(place);
  expect(await third.ask(RUNS)).toMatchObject({ body: { runs: [{ runId, status: "completed" }] } });
  expect((await third.get(inMemory)).status).toBe(404);
});

test("a server whose state folder cannot be used says so, and makes runs all the same", async () => {
  const place = await Workplace.open();
  const [, port] = await place.start("emulator --port 0").says(/^listening for any .*:(\d+);/mu);
  const connection = `Endpoint=http://127.0.0.1:${port};Authentication=None;TaskHub=default`;
  const env = { ...place.env, FANOUT_STATE_DIR: "/proc/none" };
  const serve = place.startWith(env, `serve --port 0 --connection-string ${connection}`);
  await serve.says(/^warning: runs are kept in memory only, and are forgotten when the server ends: /mu);
  const api = await RunApi.of(serve);
  const { runId } = (await api.start({ ...SMALL, workers: 1, maxActions: 100 })).body;
  await api.ended(runId);
  expect(await api.ask(`${RUNS}/${runId}/result`)).toMatchObject({ status: 200, body: { runId } });
});
