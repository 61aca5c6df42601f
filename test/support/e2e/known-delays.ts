import { expect } from "vitest";
import { parseResult } from "../../../src/result/read-result.js";
import type { LatencySummary, RunResult } from "../../../src/result/run-result.js";
import type { DelayRecord } from "../../../bench/delay-server/delay-log.js";
import { DelayServerProcess } from "../load/delay-server-process.js";
import { Workplace } from "./workplace.js";

/** Histograms keep three digits. */
const DIGITS = 0.002;
const QUANTILES = { p50: 0.5, p99: 0.99, p999: 0.999 } as const;

export const OPEN = "--rate 1000/s --duration 11s";
export const CLOSED = "--parallel-orchestrations 60 --total 11000";

/** Runs a load of 11,000 against a server whose delays are known, and hands out what both of them wrote down. */
export async function runKnownDelays(
  delay: string,
  load: string,
): Promise<{ readonly result: RunResult; readonly log: readonly DelayRecord[] }> {
  const place = await Workplace.open();
  const server = await DelayServerProcess.start({ delay, seed: 1, clockOffset: "-7s" });
  const run = place.start(
    `run ${load} --allow-invalid --json --iterations 1 --parallel-activities 1 --workers 0 --connection-string`,
    server.connectionString,
  );
  const { code, stdout, stderr } = await run.ended;
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const result = parseResult(stdout, "stdout");
  return { result, log: await server.stop() };
}

/** Each percentile against the quantile of the server's own log. */
export function expectPercentiles(result: RunResult, log: readonly DelayRecord[]): void {
  expectExact(result.latencyMs.server, log);
  expectCrossing(result, log);
}

/** By the backend's own clock there is nothing to add. */
function expectExact(server: LatencySummary | undefined, log: readonly DelayRecord[]): void {
  for (const [name, q] of Object.entries(QUANTILES) as [keyof typeof QUANTILES, number][]) {
    const exact = quantile(log, q);
    expect(Math.abs(server![name]! - exact)).toBeLessThan(DIGITS * exact + 0.01);
  }
}

/**
 * Response time has the slip and the way to the backend over the delay, service time lacks the way back from it; both
 * are in the result, so they bound what there may be between the figure and the delay however busy the machine is. A
 * figure that ends when the client noticed has that lag on top.
 */
function expectCrossing({ latencyMs, clock }: RunResult, log: readonly DelayRecord[]): void {
  const { response, service, startRpc, slip, detectionLag } = latencyMs;
  const beyondMs = (until: string | undefined) => clock!.boundMs + (until === "noticed" ? detectionLag!.max : 0);
  for (const [name, q] of Object.entries(QUANTILES) as [keyof typeof QUANTILES, number][]) {
    // A share of 0.0005 on either side is left to the sum of the two.
    const [least, most] = [quantile(log, q - 0.0005), quantile(log, q + 0.0005)];
    expect(service![name]!).toBeGreaterThan(least * (1 - DIGITS) - startRpc!.max - clock!.boundMs);
    expect(service![name]!).toBeLessThan(most * (1 + DIGITS) + beyondMs(service!.until));
    if (!response) continue;
    expect(response[name]!).toBeGreaterThan(least * (1 - DIGITS) - clock!.boundMs);
    expect(response[name]!).toBeLessThan(most * (1 + DIGITS) + startRpc!.max + slip!.max + beyondMs(response.until));
  }
}

function quantile(log: readonly DelayRecord[], q: number): number {
  const sorted = log.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length, Math.max(1, Math.ceil(q * sorted.length))) - 1]!;
}
