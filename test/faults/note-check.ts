import { existsSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { keyOf, type ClientLog } from "./client-log.js";
import { lastStart } from "./expectations.js";
import type { Script } from "./scripts.js";
import { forgottenNote, type ForgetfulInput } from "./workload.js";

const POLL_MS = 20;

interface Facts {
  readonly scripts: readonly Script[];
  readonly log: ClientLog;
  readonly patienceMs: number;
}

/** What is wrong with what activities have written down, those included that nobody waits for. */
export async function noteFaults({ scripts, log, patienceMs }: Facts): Promise<string[]> {
  const faults: string[] = [];
  const untilMs = performance.now() + patienceMs;
  for (const script of scripts) {
    const { orchestrator, input } = lastStart(script);
    if (orchestrator === "Forgetful") faults.push(...(await forgottenFaults(script, input as ForgetfulInput, untilMs)));
    else if (orchestrator === "Counted")
      faults.push(...executionFaults(script, notesIn((input as { file: string }).file), log));
  }
  return faults;
}

/** Each activity was run at least once, whatever became of those who had it. */
async function forgottenFaults(script: Script, { file, count, left }: ForgetfulInput, untilMs: number) {
  const executions = Array.from({ length: left + 1 }, (_, execution) => execution);
  const wanted = executions.flatMap((each) => Array.from({ length: count }, (_, place) => forgottenNote(each, place)));
  for (; ; await setTimeout(POLL_MS)) {
    const notes = notesIn(file);
    const missing = wanted.filter((note) => !notes.has(note));
    if (missing.length === 0 || performance.now() > untilMs)
      return missing.map((note) => `${keyOf(script, 0)}: the activity ${note}, which nobody waits for, was never run`);
  }
}

/** A restart that was acknowledged is an execution of its own; so may be each that was asked for. */
function executionFaults(script: Script, notes: ReadonlySet<string>, { asked, acknowledged }: ClientLog): string[] {
  let least = 0;
  let most = 0;
  for (const [place, step] of script.steps.entries()) {
    const key = keyOf(script, place);
    const begins =
      step.do === "restart" ||
      (step.do === "replace" && step.orchestrator === "Counted") ||
      (step.do === "start" && script.orchestrator === "Counted");
    if (!begins) continue;
    least += acknowledged.has(key) ? 1 : 0;
    most += step.do === "start" ? 1 : (asked.get(key) ?? 0);
  }
  const { size } = notes;
  return size < least || size > most
    ? [`${keyOf(script, 0)}: it was executed ${size} times, expected ${least} to ${most} times`]
    : [];
}

function notesIn(file: string): ReadonlySet<string> {
  return new Set(existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : []);
}
