/**
 * What `fanout serve` carries: 100 connections that start one small orchestration after another, then 100 that read
 * one, on an embedded emulator of its own and with no worker. Prints requests per second, answers that were not 2xx,
 * starts that were answered and that the backend does not have, and the memory of the server.
 *
 *     npm run build && node bench/serve.ts [--seconds 30]
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import autocannon from "autocannon";

const CONNECTIONS = 100;
const IDS_OF_A_REQUEST = 1_000;

const { values } = parseArgs({ options: { seconds: { type: "string", default: "30" } } });
const duration = Number(values.seconds);
const FANOUT = path.join(import.meta.dirname, "../bin/fanout.js");
const folder = mkdtempSync(path.join(tmpdir(), "fanout-bench-"));
const env = {
  ...process.env,
  FANOUT_STATE_DIR: folder,
  FANOUT_API_KEY: "",
  DURABLE_TASK_CONNECTION_STRING: "UseDevelopmentStorage=true",
};
const server = spawn(process.execPath, [FANOUT, "serve", "--port", "0"], { env, stdio: ["ignore", "ignore", "pipe"] });
const url = await listening();

const ids: string[] = [];
await measure("start", {
  method: "POST",
  path: "/api/orchestrations",
  headers: { "content-type": "application/json" },
  body: '{"iterations":1,"parallelActivities":1,"parallelOrchestrations":1}',
  onResponse: (status, body) => {
    if (status === 202) ids.push(...(JSON.parse(body) as { instanceIds: string[] }).instanceIds);
  },
});
console.log(`        ${count(ids.length)} answered 202, ${count(await lost())} of them not in the backend`);
await measure("status", { method: "GET", path: `/api/orchestrations/${ids[0] ?? ""}` });

server.kill("SIGTERM");
await new Promise((resolve) => server.once("exit", resolve));
execFileSync(process.execPath, [FANOUT, "emulator", "stop"], { env, stdio: "ignore" });
rmSync(folder, { recursive: true });

async function listening(): Promise<string> {
  let url = "";
  for await (const line of createInterface({ input: server.stderr })) {
    url = /^Orchestration API on (http:[^,]+)/u.exec(line)?.[1] ?? url;
    if (line.startsWith("Connected to ")) break;
  }
  server.stderr.resume();
  return url;
}

async function measure(name: string, request: autocannon.Request): Promise<void> {
  const memory = [memoryMb()];
  const samples = setInterval(() => memory.push(memoryMb()), (duration * 1000) / 3);
  const { requests, latency, non2xx, errors, timeouts } = await autocannon({
    url,
    duration,
    connections: CONNECTIONS,
    requests: [request],
  });
  clearInterval(samples);
  memory.push(memoryMb());
  console.log(
    `${name.padEnd(7)} ${count(requests.average)} requests/s over ${duration} s, p50 ${latency.p50} ms, ` +
      `p99 ${latency.p99} ms; not 2xx ${non2xx}, errors ${errors}, timeouts ${timeouts}; ` +
      `memory ${memory.map((mb) => `${mb} MB`).join(", ")}`,
  );
}

/** Starts that were answered, less those that the backend tells of. */
async function lost(): Promise<number> {
  let found = 0;
  for (let from = 0; from < ids.length; from += IDS_OF_A_REQUEST) {
    const response = await fetch(`${url}/api/orchestrations/status`, {
      method: "POST",
      headers: { "content-type": "application/json" },
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

function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}
