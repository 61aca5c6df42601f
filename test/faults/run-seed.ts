import { copyFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { inflict, lackingFaults } from "./faults.js";
import type { Flaw } from "./flaws.js";
import { outcomeFaults } from "./outcome-check.js";
import { planOf, type Fault, type Plan } from "./plan.js";
import { Stage } from "./stage.js";
import { storeFaults } from "./store-check.js";
import { SILENCE_MS, type Understudies } from "./understudies.js";

/** A fault comes after so long at the latest, whatever clients have been told. */
const NEXT_FAULT_MS = 400;
/** Ahead of all clocks that a seed has had, so that every timer of it is due. */
const CLOCK_IN_THE_END_SECONDS = 3 * 3_600;

export interface SeedOptions {
  readonly understudies: Understudies;
  /** In place of those of the seed. */
  readonly faults?: readonly Fault[];
  /** How long a fault waits, at most, for what clients are told; milliseconds. */
  readonly mostWaitMs?: number;
  /** What the emulator has for the harness to find. */
  readonly flaw?: Flaw;
  /** How long what is left may take once the faults are over. */
  readonly patienceMs?: number;
}

export interface SeedReport {
  readonly seed: number;
  readonly plan: Plan;
  readonly failures: readonly string[];
  /** What it did, for whoever looks into a failure. */
  readonly told: string;
  readonly tookMs: number;
}

export async function runSeed(
  seed: number,
  { understudies, faults, flaw, mostWaitMs = NEXT_FAULT_MS, patienceMs = 45_000 }: SeedOptions,
): Promise<SeedReport> {
  const startedMs = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "fanout-faults-"));
  const drawn = planOf(seed, { folder, silenceMs: SILENCE_MS });
  const lacking = lackingFaults();
  // Left out and not drawn anew: a seed is the same one where there is less to do it with.
  const plan = { ...drawn, faults: faults ?? drawn.faults.filter(({ kind }) => !lacking.has(kind)) };
  const stage = new Stage(plan, folder, understudies, flaw);
  try {
    await stage.open();
    stage.say("everybody has been started");
    await play(stage, mostWaitMs);
    // What has gone wrong by now leaves nothing to look at.
    if (stage.failures.length === 0) await settle(stage, patienceMs);
  } catch (error) {
    stage.failures.push(describeError(error));
  } finally {
    await stage.close();
  }
  // The check opens it, and so changes what a failure may be about.
  for (const file of readdirSync(folder).filter((name) => name.startsWith("emulator.db")))
    copyFileSync(join(folder, file), join(folder, `left-${file}`));

  const { asked, violations } = stage.log.read();
  stage.say(`${asked.size} steps were asked for ${[...asked.values()].reduce((sum, n) => sum + n, 0)} times`);
  const failures = [...violations, ...stage.failures, ...storeFaults(folder)];
  if (failures.length === 0 || flaw !== undefined) rmSync(folder, { recursive: true });

  return { seed, plan, failures, told: describe(stage, failures), tookMs: performance.now() - startedMs };
}

/** Inflicts the faults, each at its moment; those that last go on beside the next. */
async function play(stage: Stage, mostWaitMs: number): Promise<void> {
  const faults: Promise<void>[] = [];
  for (const { atPart, ...fault } of stage.plan.faults) {
    await stage.reach(atPart, mostWaitMs);
    stage.say(JSON.stringify(fault));
    faults.push(
      inflict(stage, fault).catch((error: unknown) => {
        stage.failures.push(describeError(error));
      }),
    );
  }
  await Promise.all(faults);
  stage.say("the faults are over");
}

/** Lets what is left come to its end, and looks at it. */
async function settle(stage: Stage, patienceMs: number): Promise<void> {
  if (stage.clock !== undefined) {
    stage.clock.moveTo(CLOCK_IN_THE_END_SECONDS);
    await inflict(stage, { kind: "killEmulator", downMs: 0 });
  }
  const late = new AbortController();
  const done = await Promise.race([
    stage.clientDone.then(() => true),
    setTimeout(patienceMs, false, { signal: late.signal }),
  ]);
  late.abort();
  if (!done) stage.failures.push("the client does not come to its end");
  stage.say("the client has ended");
  const { scripts } = stage.plan;
  const clockMoved = stage.clock !== undefined;
  const log = stage.log.read();
  stage.failures.push(...(await outcomeFaults(stage.socket, { scripts, log, clockMoved, patienceMs })));
  stage.say("everything has been looked at");
  if (stage.plan.seed % 2 === 0) await stage.stopEmulator();
}

function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function describe(stage: Stage, failures: readonly string[]): string {
  const { plan, folder, told } = stage;
  const { seed, workers, checkpointPages, diskMs } = plan;
  return [
    `FAULT_SEED=${seed} FAULT_SEEDS=1 runs it again; its files are in ${folder}`,
    `workers: ${workers.join(", ")}; checkpoint behind ${checkpointPages} pages; disk of ${diskMs} ms`,
    ...told,
    ...failures.map((failure) => `FAILED ${failure}`),
    ...stage.said(),
  ].join("\n");
}
