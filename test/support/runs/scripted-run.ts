import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { ExitCode } from "../../../src/exit-codes.js";
import { GeneratorProcess } from "../../../src/generators/generator-process.js";
import type { PlannedRun } from "../../../src/runs/planned-run.js";
import type { RunTask } from "../../../src/runs/run-task.js";
import { ServedRun, type ServedRunOptions } from "../../../src/runs/served-run.js";
import { sampleResult } from "../report/sample-result.js";

export const PLANNED: PlannedRun = {
  flags: {},
  plan: sampleResult.plan,
  planLine: "as the test plans it",
  runId: undefined,
  foreignNames: [],
  mostStarts: undefined,
  mostActions: undefined,
  guard: () => {},
};

/** The module of a run's process: `on` has what it does when it is told so. */
export function scriptOf(on: Readonly<Record<string, string>>): string {
  const cases = Object.entries(on).map(([type, act]) => `${JSON.stringify(type)}: () => { ${act} }`);
  return `
    const tell = (message, then = () => {}) => process.send(message, then);
    const on = { ${cases.join(", ")} };
    process.on("message", ({ type }) => on[type]?.());
    process.on("disconnect", () => process.exit());
  `;
}

/** A run whose process carries out a script of the test. */
export async function scriptedRun(
  script: string,
  options: Partial<Pick<ServedRunOptions, "runId" | "planned" | "cleanUp">> = {},
): Promise<ServedRun> {
  const folder = await mkdtemp(join(tmpdir(), "served-run-"));
  const entry = join(folder, "run.mjs");
  await writeFile(entry, script);
  const run = new ServedRun({
    runId: "nightly",
    planned: PLANNED,
    fork: (onLine) => new GeneratorProcess<RunTask>(onLine, entry),
    connectionString: "UseDevelopmentStorage=true",
    exitCodeOf: () => ExitCode.Success,
    cleanUp: () => Promise.resolve("It left nothing in flight."),
    bodyOf: ({ runId, status }) => ({ runId, status }),
    ...options,
  });
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return run;
}
