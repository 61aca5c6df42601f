/**
 * A Durable Task server that does no work: an instance that is started completes after a delay drawn from a
 * distribution, so that what a load test measures can be held against what is known. It has no workers, and one task
 * hub by whatever name. The output is that of the fan-out, without results.
 *
 *     npm run build && node bench/delay-server/delay-server.ts --delay exp:20ms --log delays.f64
 *
 * `--delay`: `constant:20ms`, `uniform:10ms-90ms`, `exp:20ms`, or `bimodal:10ms,100ms@5%`, which is 100 ms for 5 % of
 * the instances. The n-th instance has the same delay whenever `--seed` is the same. `--clock-offset=-250ms` sets its
 * clock beside the system's. `--servers 4`: the delays are service times of a queue with 4 servers, first come, first
 * served, which `exp:` and random arrivals make M/M/4. `--cliff 300`: refuses starts beyond 300/s. `--lacking ListInstanceIds,QueryInstances`: what it answers with UNIMPLEMENTED.
 *
 * Prints `{"port":12345}` when it listens, and ends on SIGTERM, the file of `--log` whole: see `delay-log.ts`.
 */
import { createServer, type AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { MACHINE_TIME } from "../../dist/emulator/clock/machine-time.js";
import { serveGrpc } from "../../dist/emulator/transport/grpc/connection.js";
import { handlersOf } from "../../dist/emulator/service/call.js";
import { parseDuration } from "../../dist/format/duration.js";
import { parseDistribution } from "../../dist/plan/duration-distribution.js";
import { drawDurationMs } from "../../dist/orchestrations/activity-duration.js";
import type * as backends from "./backends.js";
import type * as delayLog from "./delay-log.js";
import type * as delayServiceFile from "./delay-service.js";
import type * as delayedInstances from "./delayed-instances.js";

const { values: flags } = parseArgs({
  options: {
    delay: { type: "string", default: "constant:20ms" },
    seed: { type: "string", default: "0" },
    "clock-offset": { type: "string", default: "0ms" },
    servers: { type: "string" },
    cliff: { type: "string" },
    lacking: { type: "string", default: "" },
    log: { type: "string" },
    port: { type: "string", default: "0" },
  },
});
const { queueOf, cliffAt } = (await sibling("backends")) as typeof backends;
const { DelayLog } = (await sibling("delay-log")) as typeof delayLog;
const { DelayedInstances } = (await sibling("delayed-instances")) as typeof delayedInstances;
const { delayService } = (await sibling("delay-service")) as typeof delayServiceFile;

const originMs = performance.timeOrigin + parseOffset(flags["clock-offset"]);
const log = flags.log === undefined ? undefined : new DelayLog(flags.log);
const delayOf = parseDelay(flags.delay, Number(flags.seed));
const instances = new DelayedInstances({
  clockUs: () => Math.round((originMs + performance.now()) * 1_000),
  delayOf: flags.servers === undefined ? delayOf : queueOf(Number(flags.servers), delayOf, () => performance.now()),
  beforeStart: flags.cliff === undefined ? undefined : cliffAt(Number(flags.cliff), () => performance.now()),
  onCompleted: ({ createdUs, delayMs, endedUs }) => {
    log?.add({ createdMs: createdUs / 1_000, meantMs: delayMs, tookMs: (endedUs - createdUs) / 1_000 });
  },
});
const lacking = flags.lacking.split(",");
const methods = Object.entries(delayService(instances)).filter(([name]) => !lacking.includes(name));
const handlers = handlersOf({ TaskHubSidecarService: Object.fromEntries(methods) });
const server = createServer((socket) => serveGrpc(socket, handlers, { clock: MACHINE_TIME }));
server.listen(Number(flags.port), "127.0.0.1", () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port }));
});
process.once("SIGTERM", () => {
  server.close();
  void (log?.close() ?? Promise.resolve()).then(() => process.exit(0));
});

/** Node runs TypeScript as it is, and does not find `./x.ts` by the name `./x.js` that the compiler asks for. */
function sibling(name: string): Promise<unknown> {
  return import(new URL(`${name}.ts`, import.meta.url).href);
}

function parseDelay(text: string, seed: number): delayedInstances.DelayOf {
  const place = (number: number) => ({ seed, instanceId: "", iterationNumber: number, activityNumber: 0 });
  const [, fast, slow, percent] = /^bimodal:(.+),(.+)@(.+)%$/u.exec(text) ?? [];
  const [fastMs, slowMs] = [parseDuration(fast ?? ""), parseDuration(slow ?? "")];
  if (fastMs !== undefined && slowMs !== undefined) {
    const unit = { kind: "uniform", fromMs: 0, toMs: 1 } as const;
    return (number) => (drawDurationMs(unit, place(number)) < Number(percent) / 100 ? slowMs : fastMs);
  }
  const distribution = parseDistribution(text.replace(/^constant:/u, ""));
  if (!distribution) throw new Error(`--delay: expected one such as exp:20ms, found "${text}"`);
  return (number) => drawDurationMs(distribution, place(number));
}

function parseOffset(text: string): number {
  const ms = parseDuration(text.replace(/^-/u, ""));
  if (ms === undefined) throw new Error(`--clock-offset: expected one such as -250ms, found "${text}"`);
  return text.startsWith("-") ? -ms : ms;
}
