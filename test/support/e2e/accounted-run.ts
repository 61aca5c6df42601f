import { expect } from "vitest";
import { parseRunResult } from "./checked-result.js";
import { HubInspector } from "./hub-inspector.js";
import { Workplace } from "./workplace.js";

/** A fan-out/fan-in load. */
export interface LoadSize {
  readonly orchestrations: number;
  readonly iterations: number;
  readonly activities: number;
}

/** Runs a load, and expects the result and the hub to have each activity exactly once. */
export async function expectAccounted({ orchestrations, iterations, activities }: LoadSize): Promise<void> {
  const place = await Workplace.open();
  const needed = orchestrations * iterations * activities;
  const size = `--iterations ${iterations} --parallel-activities ${activities}`;
  const { stdout } = await place.succeed(
    `run --json --allow-invalid --workers 2 ${size} --parallel-orchestrations ${orchestrations}`,
  );
  const { counts, runId } = parseRunResult(stdout);
  expect(counts).toMatchObject({
    orchestrations: { started: orchestrations, completed: orchestrations, unfinished: 0 },
    activities: { needed, completed: needed, reExecuted: 0 },
    actions: orchestrations + 2 * needed,
  });
  const inspector = new HubInspector(place.socket);
  expect(await inspector.instances(`${runId}-`)).toHaveLength(orchestrations);
  expect(await inspector.completedActivities(`${runId}-`)).toBe(needed);
  await inspector.close();
}
