import os from "node:os";
import { LatencyHistogram } from "../stats/latency-histogram.js";
import type { GeneratorHealth } from "../result/run-result.js";

/** The time between two samples of the event loop. A p99 takes 1,000 samples, so 50 seconds. */
const TICK_MS = 50;
/** The system counts CPU time in steps of 10 ms on each core. */
const LEAST_CPU_MS = 1_000;
/** If reading two clocks took longer, the process was held up between them, and their difference is useless. */
const LONGEST_LOOK_MS = 1;

/** The readings of the system. Times are milliseconds. */
export interface SystemReadings {
  /** A clock that is never set: `performance.now`. */
  readonly steadyMs: () => number;
  /** The clock of people and other machines: `Date.now`. */
  readonly systemMs: () => number;
  /** The busy time and the total time of all cores since the machine started. */
  readonly machine: () => { readonly busyMs: number; readonly totalMs: number };
  /** The CPU time of this process on all cores since it started. */
  readonly processMs: () => number;
  readonly cores: number;
  /** Calls back after this time, unless the returned function is called first. */
  readonly after: (ms: number, callBack: () => void) => () => void;
}

const SYSTEM: SystemReadings = {
  steadyMs: () => performance.now(),
  systemMs: () => Date.now(),
  machine: machineTimes,
  processMs: processTime,
  cores: os.cpus().length,
  after(ms, callBack) {
    const timer = setTimeout(callBack, ms).unref();
    return () => clearTimeout(timer);
  },
};

interface CpuReading {
  readonly atMs: number;
  readonly busyMs: number;
  readonly totalMs: number;
  readonly processMs: number;
}

/**
 * Watches the load generator's own process: the delay of its event loop, jumps of the system's clock, and the load of
 * the machine.
 * It samples the event loop every 50 ms on a fixed schedule. A missed sample has the delay that a start due at that
 * moment would have had. (The histogram of `perf_hooks.monitorEventLoopDelay` has one sample for a block of any length,
 * and includes the interval in each sample.)
 */
export class GeneratorHealthMonitor {
  readonly #delays = new LatencyHistogram();
  #cpu: CpuReading | undefined;
  #dueMs = 0;
  /** The system's clock minus the steady one; undefined if unknown. */
  #aheadMs: number | undefined;
  #jumpMs: number | undefined;
  #cancel: () => void = () => {};

  constructor(readonly readings: SystemReadings = SYSTEM) {}

  start(): void {
    this.#cpu = this.#readCpu();
    this.#aheadMs = this.#readAhead();
    this.#dueMs = this.readings.steadyMs() + TICK_MS;
    this.#schedule();
  }

  /**
   * The readings since `start`. A field is absent if it was not measured: CPU of less than a second, and everything
   * before a start.
   */
  stop(): Pick<GeneratorHealth, "eventLoopDelayMs" | "clockJumpMs" | "cpu"> {
    this.#cancel();
    return this.soFar();
  }

  /** As `stop`, and goes on. */
  soFar(): Pick<GeneratorHealth, "eventLoopDelayMs" | "clockJumpMs" | "cpu"> {
    if (this.#cpu) this.#look();
    const eventLoopDelayMs = this.#delays.summary();
    const cpu = this.#cpuShares();
    return {
      ...(eventLoopDelayMs && { eventLoopDelayMs }),
      ...(this.#jumpMs !== undefined && { clockJumpMs: this.#jumpMs }),
      ...(cpu && { cpu }),
    };
  }

  #schedule(): void {
    const { after, steadyMs } = this.readings;
    this.#cancel = after(Math.max(1, Math.ceil(this.#dueMs - steadyMs())), () => {
      this.#look();
      this.#schedule();
    });
  }

  #look(): void {
    const nowMs = this.readings.steadyMs();
    for (; this.#dueMs <= nowMs; this.#dueMs += TICK_MS) this.#delays.add(nowMs - this.#dueMs);
    const aheadMs = this.#readAhead();
    if (aheadMs === undefined) return;
    if (this.#aheadMs !== undefined) this.#jumpMs = Math.max(this.#jumpMs ?? 0, Math.abs(aheadMs - this.#aheadMs));
    this.#aheadMs = aheadMs;
  }

  #readAhead(): number | undefined {
    const { steadyMs, systemMs } = this.readings;
    const beforeMs = steadyMs();
    const ms = systemMs();
    const tookMs = steadyMs() - beforeMs;
    return tookMs > LONGEST_LOOK_MS ? undefined : ms - beforeMs;
  }

  #readCpu(): CpuReading {
    const { steadyMs, machine, processMs } = this.readings;
    return { atMs: steadyMs(), ...machine(), processMs: processMs() };
  }

  #cpuShares(): GeneratorHealth["cpu"] {
    if (!this.#cpu) return undefined;
    const now = this.#readCpu();
    const lengthMs = now.atMs - this.#cpu.atMs;
    const totalMs = now.totalMs - this.#cpu.totalMs;
    // Some systems do not report their cores.
    if (lengthMs < LEAST_CPU_MS || !(totalMs > 0)) return undefined;
    return {
      machine: share(now.busyMs - this.#cpu.busyMs, totalMs),
      generator: share(now.processMs - this.#cpu.processMs, lengthMs * this.readings.cores),
    };
  }
}

function share(part: number, whole: number): number {
  return Math.min(1, Math.max(0, part / whole));
}

function machineTimes(): ReturnType<SystemReadings["machine"]> {
  const cores = os.cpus().map(({ times: { user, nice, sys, idle, irq } }) => ({ idle, busy: user + nice + sys + irq }));
  const busyMs = cores.reduce((sum, { busy }) => sum + busy, 0);
  return { busyMs, totalMs: cores.reduce((sum, { idle }) => sum + idle, busyMs) };
}

function processTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
