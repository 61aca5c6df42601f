import { describe, expect, test } from "vitest";
import { HubInspector } from "../support/e2e/hub-inspector.js";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { Workplace } from "../support/e2e/workplace.js";

describe("every activity is accounted for", () => {
  test.each([
    { orchestrations: 1, iterations: 100, activities: 100, of: "one long orchestration" },
    { orchestrations: 200, iterations: 10, activities: 10, of: "many orchestrations" },
  ])(
    "of $of: $orchestrations x $iterations x $activities",
    { timeout: 240_000 },
    async ({ orchestrations, iterations, activities }) => {
      const place = await Workplace.open();
      const needed = orchestrations * iterations * activities;
      const size = `--iterations ${iterations} --parallel-activities ${activities}`;
      const { stdout } = await place.succeed(`run --json ${size} --parallel-orchestrations ${orchestrations}`);
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
    },
  );
});
