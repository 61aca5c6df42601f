/**
 * What `fanout serve` carries: 100 connections that start one small orchestration after another, then 100 that read
 * one, on an embedded emulator of its own and with no worker. Prints requests per second, answers that were not 2xx,
 * starts that were answered and that the backend does not have, and the memory of the server.
 *
 * With `--viewers 10` the server has a run in progress, with so many viewers of its events. The worker of the run executes
 * what the connections start.
 *
 * With `--heap` the server collects its garbage with each look at its memory, and what its heap then has is printed too.
 *
 *     npm run build && node bench/serve.ts [--seconds 30] [--viewers 10] [--heap]
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import autocannon from "autocannon";
import { Viewers } from "#serve/viewers";

const CONNECTIONS = 100;
const IDS_OF_A_REQUEST = 1_000;
/** At the memory, in each measurement. */
const LOOKS = 3;

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "30" },
    viewers: { type: "string", default: "0" },
    heap: { type: "boolean", default: false },
  },
});
const duration = Number(values.seconds);
const RUNS = "/api/v1/runs";
const JSON_TYPE = { "content-type": "application/json" };
/** It outlasts both measurements, and the check between them. */
const RUN = { rate: "20/s", duration: `${10 * duration}s`, iterations: 1, parallelActivities: 2, workers: 1 };
const FANOUT = path.join(import.meta.dirname, "../bin/fanout.js");
const folder = mkdtempSync(path.join(tmpdir(), "fanout-bench-"));
const env = {
  ...process.env,
  FANOUT_STATE_DIR: folder,
  FANOUT_API_KEY: "",
  DURABLE_TASK_CONNECTION_STRING: "UseDevelopmentStorage=true",
};
const collecting = values.heap ? ["--expose-gc", "--import", path.join(import.meta.dirname, "serve/heap.ts")] : [];
const server = spawn(process.execPath, [...collecting, FANOUT, "serve", "--port", "0"], {
  env,
  stdio: ["ignore", "ignore", "pipe", "ipc"],
});
const url = await listening();

const watched = Number(values.viewers) > 0 ? await watchedRun(Number(values.viewers)) : undefined;

const ids: string[] = [];
await measure("start", {
  method: "POST",
  path: "/api/orchestrations",
  headers: JSON_TYPE,
  body: '{"iterations":1,"parallelActivities":1,"parallelOrchestrations":1}',
  onResponse: (status, body) => {
    if (status === 202) ids.push(...(JSON.parse(body) as { instanceIds: string[] }).instanceIds);
  },
});
console.log(`        ${number(ids.length)} answered 202, ${number(await lost())} of them not in the backend`);
await measure("status", { method: "GET", path: `/api/orchestrations/${ids[0] ?? ""}` });
await watched?.end();

server.kill("SIGTERM");
await new Promise((resolve) => server.once("exit", resolve));
execFileSync(process.execPath, [FANOUT, "emulator", "stop"], { env, stdio: "ignore" });
rmSync(folder, { recursive: true });

async function listening(): Promise<string> {
  let url = "";
  for await (const line of createInterface({ input: server.stderr! })) {
    url = /^Orchestration API on (http:[^,]+)/u.exec(line)?.[1] ?? url;
    if (line.startsWith("Connected to ")) break;
  }
  server.stderr!.resume();
  return url;
}

async function measure(name: string, request: autocannon.Request): Promise<void> {
  const memory = [memoryMb()];
  const heap = [await heapMb()];
  const samples = setInterval(
    () => {
      memory.push(memoryMb());
      void heapMb().then((mb) => heap.push(mb));
    },
    (duration * 1000) / LOOKS,
  );
  const {
    requests,
    latency,
    non2xx,
    errors,
    timeouts,
    "5xx": failed,
  } = await autocannon({
    url,
    duration,
    connections: CONNECTIONS,
    requests: [request],
  });
  clearInterval(samples);
  memory.push(memoryMb());
  heap.push(await heapMb());
  console.log(
    `${name.padEnd(7)} ${number(requests.average)} requests/s over ${duration} s, p50 ${latency.p50} ms, ` +
      `p99 ${latency.p99} ms; not 2xx ${non2xx}, 5xx ${failed}, errors ${errors}, timeouts ${timeouts}; ` +
      `memory ${memory.map((mb) => `${mb} MB`).join(", ")}` +
      (values.heap ? `; heap after a collection ${heap.map((mb) => `${mb?.toFixed(1)} MB`).join(", ")}` : ""),
  );
  if (watched) console.log(`        ${watched.viewers.seen()}`);
}

/** A run in progress that people look at. */
async function watchedRun(count: number): Promise<{ readonly viewers: Viewers; readonly end: () => Promise<void> }> {
  const response = await fetch(`${url}${RUNS}`, { method: "POST", headers: JSON_TYPE, body: JSON.stringify(RUN) });
  if (response.status !== 201) throw new Error(`Expected a run, found ${await response.text()}`);
  const { runId } = (await response.json()) as { runId: string };
  const viewers = new Viewers(`${url}${RUNS}/${runId}/events`, count);
  await viewers.come();
  return {
    viewers,
    end: async () => {
      viewers.leave();
      const { status, snapshot } = (await (await fetch(`${url}${RUNS}/${runId}`)).json()) as {
        status: string;
        snapshot?: { orchestrations: { started: number; ended: number } };
      };
      const { started = 0, ended = 0 } = snapshot?.orchestrations ?? {};
      console.log(`run     ${status}: ${number(started)} started, ${number(ended)} ended`);
      await fetch(`${url}${RUNS}/${runId}/cancel`, { method: "POST" });
    },
  };
}

/** Starts that were answered, less those that the backend tells of. */
async function lost(): Promise<number> {
  let found = 0;
  for (let from = 0; from < ids.length; from += IDS_OF_A_REQUEST) {
    const response = await fetch(`${url}/api/orchestrations/status`, {
      method: "POST",
      headers: JSON_TYPE,
      body: JSON.stringify(ids.slice(from, from + IDS_OF_A_REQUEST)),
    });
    found += ((await response.json()) as { foundInstances: number }).foundInstances;
  }
  return new Set(ids).size === ids.length ? ids.length - found : Number.NaN;
}

/** Resident, of the server's process. */
function memoryMb(): number {
  return Math.round(Number(execFileSync("ps", ["-o", "rss=", "-p", String(server.pid)]).toString()) / 1024);
}

/** After a collection. Undefined without `--heap`. */
async function heapMb(): Promise<number | undefined> {
  if (!values.heap) return undefined;
  const told = once(server, "message");
  server.send("heap");
  const [bytes] = (await told) as [number];
  return bytes / 1_048_576;
}

function number(value: number): string {
  return Math.round(value).toLocaleString("en");
}
