import { describe, expect, onTestFinished, test } from "vitest";
import { ForwardingBackend } from "../support/hub/forwarding-backend.js";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { Workplace } from "../support/e2e/workplace.js";

/** Calls that other backends of the protocol do not have. */
const LACKING = ["QueryInstances", "ListInstanceIds", "StreamInstanceHistory", "PurgeInstances"];

/** A place with a worker on its emulator, and the flags that reach the emulator as a backend elsewhere. */
async function lackingBackend(): Promise<{ readonly place: Workplace; readonly flags: readonly string[] }> {
  const place = await Workplace.open();
  const worker = place.start("worker --port 0");
  await worker.says(/Connected to/u);
  const backend = await ForwardingBackend.start(`unix:${place.socket}`, LACKING);
  onTestFinished(() => backend.close());
  return { place, flags: ["--connection-string", backend.connectionString("default")] };
}

describe("on a backend that lacks calls", () => {
  test("a run measures, and names the figures that are missing", async () => {
    const { place, flags } = await lackingBackend();
    const { stdout, stderr } = await place.succeed("run --json --parallel-orchestrations 20 --iterations 2", ...flags);
    const { breakdown, counts, environment } = parseRunResult(stdout);
    expect(counts.orchestrations).toMatchObject({ started: 20, completed: 20 });
    expect(counts.activities).toMatchObject({ needed: 200, completed: 200 });
    // That a call is not there is an answer to whoever asks whether it is.
    expect(counts.rpcErrors).toEqual({});
    expect(environment.hub).toHaveProperty("unknown");
    expect(breakdown).toMatchObject({
      orchestrations: { traced: 0 },
      missing: "the backend has no StreamInstanceHistory (UNIMPLEMENTED)",
    });
    expect(breakdown).not.toHaveProperty("phases");
    expect(stderr).toMatch(/other work on task hub default is unknown: .*QueryInstances/u);
  });

  test("status works for ids and for a run, and purge names the missing call", async () => {
    const { place, flags } = await lackingBackend();
    const run = await place.succeed("run --json --parallel-orchestrations 3 --iterations 1", ...flags);
    const { runId } = parseRunResult(run.stdout);
    const one = await place.succeed(`status ${runId}-00000-001`, ...flags);
    expect(one.stdout).toContain("Completed");
    const all = await place.succeed(`status --run ${runId}`, ...flags);
    expect(all.stdout).toContain("3 Completed");
    const purge = await place.run(`purge --run ${runId} --yes`, ...flags);
    expect(purge.code).toBe(1);
    expect(purge.stderr).toContain("PurgeInstances");
  });

  test("the doctor finds nothing wrong", async () => {
    const { place, flags } = await lackingBackend();
    const { code, stdout } = await place.run("doctor", ...flags);
    expect({ code, stdout }).toMatchObject({ code: 0 });
  });
});
