import type { InstanceHistory } from "../../../src/timeline/instance-history.js";
import type { HistoryMoment } from "../../../src/protocol/history-moments.js";

/** 2030-01-01T00:00:00Z, microseconds. */
export const BEGIN_US = 1_893_456_000_000_000;

type Told = HistoryMoment extends infer M ? (M extends HistoryMoment ? Omit<M, "atUs"> : never) : never;
type Entry = readonly [atMs: number, moment: Told];

export const episode: Told = { kind: "orchestrator-started" };
export const started: Told = { kind: "execution-started", name: "Order" };
export const ended: Told = { kind: "ended", status: "Completed" };

export function asksActivity(id: number, name = "Charge"): Told {
  return { kind: "asked", id, what: "activity", name };
}

export function asksTimer(id: number): Told {
  return { kind: "asked", id, what: "timer" };
}

export function answers(id: number, what: "activity" | "timer" | "child" = "activity"): Told {
  return { kind: "answered", id, what, failed: false };
}

export function fails(id: number, message = "declined"): Told {
  return { kind: "answered", id, what: "activity", failed: true, failure: { type: "CardError", message } };
}

/** An instance with this history: milliseconds from its creation. */
export function toldInstance(entries: readonly Entry[], more: Partial<InstanceHistory> = {}): InstanceHistory {
  return {
    instanceId: "order-17",
    depth: 0,
    name: "Order",
    status: "Running",
    createdUs: BEGIN_US,
    completedUs: undefined,
    history: entries.map(([atMs, moment]) => ({ ...moment, atUs: BEGIN_US + Math.round(atMs * 1_000) })),
    ...more,
  };
}

/** One iteration after another, each of `width` activities that take 10 ms. */
export function fanOuts(iterations: number, width: number): InstanceHistory {
  const entries: Entry[] = [
    [0, episode],
    [0, started],
  ];
  for (let iteration = 0; iteration < iterations; iteration += 1) {
    const ids = Array.from({ length: width }, (_, index) => iteration * width + index);
    const atMs = 1 + iteration * 12;
    entries.push(
      ...ids.map((id): Entry => [atMs, asksActivity(id)]),
      [atMs + 10, episode],
      ...ids.map((id): Entry => [atMs + 10, answers(id)]),
    );
  }
  return toldInstance([...entries, [iterations * 12 + 5, ended]]);
}
