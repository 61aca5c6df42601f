import { describe, expect, test } from "vitest";
import { GeneratorHealthMonitor, type SystemReadings } from "../../../src/load/generator-health.js";

/** A machine whose clocks, cores and timers go as a test says. */
class Machine {
  #nowMs = 5_000;
  /** The system's clock less the steady one. */
  aheadMs = 1_900_000_000_000;
  busyMs = 70_000;
  idleMs = 30_000;
  ownMs = 400;
  /** How long the process is held up between two looks at clocks. */
  heldUpMs = 0;
  #timer: { readonly dueMs: number; readonly callBack: () => void } | undefined;

  readonly readings: SystemReadings = {
    steadyMs: () => this.#nowMs,
    systemMs: () => {
      this.#nowMs += this.heldUpMs;
      return this.#nowMs + this.aheadMs;
    },
    machine: () => ({ busyMs: this.busyMs, totalMs: this.busyMs + this.idleMs }),
    processMs: () => this.ownMs,
    cores: 4,
    after: (ms, callBack) => {
      const timer = { dueMs: this.#nowMs + ms, callBack };
      this.#timer = timer;
      return () => {
        if (this.#timer === timer) this.#timer = undefined;
      };
    },
  };

  get hasTimer(): boolean {
    return this.#timer !== undefined;
  }

  /** Time passes, and timers are on time. */
  pass(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (let timer = this.#timer; timer && timer.dueMs <= endMs; timer = this.#timer) {
      this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
      timer.callBack();
    }
    this.#nowMs = endMs;
  }

  /** Time passes in which no timer can fire. */
  block(ms: number): void {
    this.#nowMs += ms;
    this.pass(0);
  }
}

function started(): { readonly machine: Machine; readonly monitor: GeneratorHealthMonitor } {
  const machine = new Machine();
  const monitor = new GeneratorHealthMonitor(machine.readings);
  monitor.start();
  return { machine, monitor };
}

describe("the delay of the event loop", () => {
  test("is none where timers are on time", () => {
    const { machine, monitor } = started();
    machine.pass(60_000);
    expect(monitor.stop().eventLoopDelayMs).toEqual({ count: 1_200, mean: 0, p50: 0, p90: 0, p95: 0, p99: 0, max: 0 });
  });

  test("is that of every moment of a block, each as late as a timer that was due then", () => {
    const { machine, monitor } = started();
    machine.pass(1_000);
    machine.block(500);
    // Due after 50, 100 ... 500 ms of it.
    expect(monitor.stop().eventLoopDelayMs).toEqual({ count: 30, mean: (10 * 450) / 2 / 30, p50: 0, max: 450 });
  });

  test("keeps to its schedule when timers are late", () => {
    const { machine, monitor } = started();
    for (let block = 0; block < 100; block += 1) machine.block(53);
    expect(monitor.stop().eventLoopDelayMs).toMatchObject({ count: 106, max: 52 });
  });

  test("is not known before the first look was due", () => {
    const { machine, monitor } = started();
    machine.pass(49);
    expect(monitor.stop()).not.toHaveProperty("eventLoopDelayMs");
  });

  test("is at least the block of this very process, except for the time before the first sample", () => {
    const monitor = new GeneratorHealthMonitor();
    monitor.start();
    const endMs = performance.now() + 250;
    while (performance.now() < endMs);
    expect(monitor.stop().eventLoopDelayMs?.max).toBeGreaterThanOrEqual(200);
  });
});

describe("the jump of the clock", () => {
  test.each([
    ["forwards", 340],
    ["backwards", -340],
  ])("is the largest step %s", (_, byMs) => {
    const { machine, monitor } = started();
    for (const step of [byMs / 2, byMs, -byMs / 3]) {
      machine.pass(1_000);
      machine.aheadMs += step;
      machine.pass(1_000);
    }
    expect(monitor.stop().clockJumpMs).toBe(340);
  });

  test("is small while the clock is steered, however far", () => {
    const { machine, monitor } = started();
    for (let second = 0; second < 600; second += 1) {
      machine.pass(50);
      machine.aheadMs += 0.5;
    }
    expect(monitor.stop().clockJumpMs).toBe(0.5);
  });

  test("is not one where the process was held up between looking at the two clocks", () => {
    const { machine, monitor } = started();
    machine.pass(100);
    machine.heldUpMs = 200;
    machine.pass(50);
    machine.heldUpMs = 0;
    machine.pass(100);
    expect(monitor.stop().clockJumpMs).toBe(0);
  });

  test("is detected after a useless sample", () => {
    const { machine, monitor } = started();
    machine.heldUpMs = 200;
    machine.pass(50);
    machine.heldUpMs = 0;
    machine.aheadMs += 1_000;
    machine.pass(100);
    expect(monitor.stop().clockJumpMs).toBe(1_000);
  });
});

describe("the CPU", () => {
  test("is a share of all cores, from start to stop", () => {
    const { machine, monitor } = started();
    machine.pass(10_000);
    machine.busyMs += 30_000;
    machine.idleMs += 10_000;
    machine.ownMs += 8_000;
    expect(monitor.stop().cpu).toEqual({ machine: 0.75, generator: 0.2 });
  });

  test.each([
    ["of less than a second", 999, 1_000],
    ["where the system does not tell of its cores", 10_000, 0],
  ])("is not told %s", (_, lengthMs, idleMs) => {
    const { machine, monitor } = started();
    machine.pass(lengthMs);
    machine.idleMs += idleMs;
    expect(monitor.stop()).not.toHaveProperty("cpu");
  });

  test("is never more than all, as the counters are coarse", () => {
    const { machine, monitor } = started();
    machine.pass(1_000);
    machine.busyMs += 1_010;
    machine.idleMs -= 10;
    machine.ownMs += 4_100;
    expect(monitor.stop().cpu).toEqual({ machine: 1, generator: 1 });
  });
});

test("a stopped monitor takes no samples, and one that never started has no readings", () => {
  const { machine, monitor } = started();
  machine.pass(1_000);
  expect(machine.hasTimer).toBe(true);
  const told = monitor.stop();
  expect(machine.hasTimer).toBe(false);
  machine.pass(1_000);
  expect(told.eventLoopDelayMs?.count).toBe(20);
  expect(new GeneratorHealthMonitor(new Machine().readings).stop()).toEqual({});
});

test("this machine has clocks and cores to tell of", () => {
  const monitor = new GeneratorHealthMonitor();
  monitor.start();
  const { readings } = monitor;
  const { busyMs, totalMs } = readings.machine();
  expect(busyMs).toBeGreaterThan(0);
  expect(totalMs).toBeGreaterThanOrEqual(busyMs);
  expect(readings.processMs()).toBeGreaterThan(0);
  expect(readings.cores).toBeGreaterThan(0);
  expect(monitor.stop().clockJumpMs ?? 0).toBeLessThan(100);
});
