import { Command } from "commander";
import { planKeysOf } from "../../../src/cli/plan-keys.js";
import { addRun } from "../../../src/cli/run.js";
import type { PlanKey } from "../../../src/plan/plan-file-keys.js";

/** The keys of a plan file, from the flags of `fanout run`. */
export function runKeys(): readonly PlanKey[] {
  const fanout = new Command();
  addRun(fanout, { io: { stdout: process.stdout, stderr: process.stderr }, argv: [], exit: () => {} });
  return planKeysOf(fanout.commands[0]!);
}
