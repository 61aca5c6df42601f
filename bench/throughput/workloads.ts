/** What every engine is given to do. One orchestration is `iterations` fan-outs of `activities` each, one after the other. */
export interface Workload {
  readonly name: string;
  readonly orchestrations: number;
  readonly iterations: number;
  readonly activities: number;
  /** So many orchestrations are kept in flight, where not all start at once. */
  readonly inFlight?: number;
  /** Mean of the exponential distribution from which activities draw how long they sleep, in milliseconds. */
  readonly meanSleepMs?: number;
  /** Bytes by which each activity's result is larger. */
  readonly outputBytes?: number;
  /** fanout begins a new history after so many iterations; the peers, which have no such thing, run the same without it. */
  readonly continueAsNewEvery?: number;
}

/** What the sleeps of activities are drawn from. */
export const SEED = 1;

export const WORKLOADS: readonly Workload[] = [
  { name: "W1", orchestrations: 100, iterations: 10, activities: 10 },
  { name: "W2", orchestrations: 10, iterations: 20, activities: 100 },
  { name: "W3", orchestrations: 1, iterations: 100, activities: 100 },
  { name: "W3-can", orchestrations: 1, iterations: 100, activities: 100, continueAsNewEvery: 10 },
  { name: "chain", orchestrations: 1, iterations: 1_000, activities: 1 },
  { name: "wide", orchestrations: 1, iterations: 1, activities: 10_000 },
  // Nobody starts 10,000 in one moment: a client has a bound.
  { name: "small", orchestrations: 10_000, iterations: 1, activities: 1, inFlight: 200 },
  { name: "uneven", orchestrations: 20, iterations: 5, activities: 20, meanSleepMs: 20 },
  { name: "payload-1k", orchestrations: 20, iterations: 5, activities: 10, outputBytes: 1_024 },
  { name: "payload-64k", orchestrations: 20, iterations: 5, activities: 10, outputBytes: 65_536 },
];

/** Those of the names, in their order; of no names, all. Throws where a name is none. */
export function workloadsNamed(names: readonly string[]): readonly Workload[] {
  if (names.length === 0) return WORKLOADS;
  return names.map((name) => {
    const workload = WORKLOADS.find((one) => one.name === name);
    if (workload === undefined)
      throw new Error(`Expected a workload of ${WORKLOADS.map((one) => one.name).join(", ")}, found "${name}"`);

    return workload;
  });
}

/** Activities of all its orchestrations. */
export function activitiesOf({ orchestrations, iterations, activities }: Workload): number {
  return orchestrations * iterations * activities;
}
