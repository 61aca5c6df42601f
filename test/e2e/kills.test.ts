import { expect, test } from "vitest";
import { integrityOf } from "../support/e2e/database-integrity.js";
import { HubInspector, activitiesIn, activitiesReach } from "../support/e2e/hub-inspector.js";
import { emulatorOf, workersOf } from "../support/e2e/process-table.js";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { Workplace } from "../support/e2e/workplace.js";

const ORCHESTRATIONS = 20;
const ACTIVITIES = 200;
/** 50 iterations of activities that take 150 ms: so the run lasts seconds, and kills fall into it, on any machine. */
const LOAD = `--parallel-orchestrations ${ORCHESTRATIONS} --iterations 50 --parallel-activities 4 --activity-duration 150ms`;
const KILLS = 8;
/** The share of the activities in which the kills fall. */
const UNTIL = 0.7;

test(
  "a run whose emulator and workers are killed four times each loses nothing and counts nothing twice",
  { timeout: 180_000 },
  async () => {
    const place = await Workplace.open();
    const run = place.start(`run --json --allow-invalid --workers 2 ${LOAD}`);
    await run.says(/started 2 worker processes/u);
    const emulators = new Set<number>();
    const workers = new Set<number>();
    for (let kill = 0; kill < KILLS; kill += 1) {
      await activitiesReach((ORCHESTRATIONS * ACTIVITIES * UNTIL * (kill + 0.5)) / KILLS, place.socket, run);
      const victims = kill % 2 === 0 ? emulators : workers;
      const pid = kill % 2 === 0 ? emulatorOf(place.stateFolder) : workersOf(run.pid).at(kill % 4 === 1 ? 0 : -1);
      process.kill(pid!, "SIGKILL");
      victims.add(pid!);
    }
    const { code, stdout, stderr } = await run.ended;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    // Each was another process, so each died of it and was started again.
    expect(emulators.size).toBe(KILLS / 2);
    expect(workers.size).toBe(KILLS / 2);
    expect(stderr.match(/was ended by SIGKILL; starting it again/gu)).toHaveLength(KILLS / 2);

    const { counts, runId } = parseRunResult(stdout);
    expect(counts).toMatchObject({
      orchestrations: { started: ORCHESTRATIONS, completed: ORCHESTRATIONS, failed: 0, unfinished: 0 },
      activities: { completed: ORCHESTRATIONS * ACTIVITIES },
    });
    const inspector = new HubInspector(place.socket);
    const instances = await inspector.instances("");
    expect(instances.map(({ instanceId }) => instanceId).sort()).toEqual(instanceIds(runId, ORCHESTRATIONS));
    for (const { instanceId } of instances) {
      const { scheduled, completed } = activitiesIn(await inspector.history(instanceId));
      expect({ instanceId, scheduled: new Set(scheduled).size }).toEqual({ instanceId, scheduled: ACTIVITIES });
      expect({ instanceId, completed }).toEqual({ instanceId, completed: scheduled });
    }
    await inspector.close();
    await place.succeed("emulator stop");
    expect(integrityOf(place.stateFolder)).toEqual(["ok"]);
  },
);

function instanceIds(runId: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, number) => `${runId}-00000-${String(number).padStart(3, "0")}`);
}
