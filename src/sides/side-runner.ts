import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openStateFolder } from "../protocol/state-folder.js";
import { FanoutError, UsageError } from "../errors.js";
import { ExitCode } from "../exit-codes.js";
import { errorText } from "../format/error-text.js";
import { oneLine } from "../format/one-line.js";
import { readResult } from "../result/read-result.js";
import type { RunResult } from "../result/run-result.js";
import { Child, howText, type Ended, type StopSignal } from "./child.js";
import type { Side } from "./side.js";

const THIS_FANOUT: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL("../../bin/fanout.js", import.meta.url)),
];
/** A run with one of these exit codes has a result. The comparison decides whether it is usable. */
const MEASURED: readonly number[] = [ExitCode.Success, ExitCode.Invalid, ExitCode.ThresholdMissed];
/** The line of a dry run about a run that would be refused for its cost. */
const REFUSAL = /^without --dry-run this run is refused: (?<why>.*)$/mu;
const WORKER_PATIENCE_MS = 10_000;

/** The outcome of one run of a side. */
export interface SideRun {
  /** Absent if it wrote none. */
  readonly result?: RunResult;
  readonly thresholdMissed: boolean;
  /** Why the comparison cannot continue, and its exit code; absent if it can. */
  readonly failure?: { readonly text: string; readonly exitCode: ExitCode };
}

/** Runs sides as processes, one at a time, each with its own environment. */
export class SideRunner {
  readonly #folder: string;
  readonly #environments: ReadonlyMap<Side, NodeJS.ProcessEnv>;
  /** The state folders of sides with their own emulator. */
  readonly #alone: ReadonlyMap<Side, string>;
  readonly #running = new Set<Child>();
  /** A second Ctrl-C ends this process at once. The child processes must not outlive it. */
  readonly #onExit = (): void => this.#running.forEach((child) => child.stop("SIGTERM"));
  #runs = 0;

  private constructor(folder: string, sides: readonly Side[], alone: ReadonlyMap<Side, string>) {
    this.#folder = folder;
    this.#alone = alone;
    this.#environments = new Map(sides.map((side) => [side, environmentOf(side, alone.get(side))]));
    process.once("exit", this.#onExit);
  }

  static async open(sides: readonly Side[]): Promise<SideRunner> {
    const alone = shareEmulator(sides) ? new Map<Side, string>() : await stateFoldersOf(sides);
    return new SideRunner(await mkdtemp(join(tmpdir(), "fanout-compare-")), sides, alone);
  }

  /**
   * Lets the fanout of a side check its flags, before any side spends time.
   * @throws UsageError if it would refuse to run with them
   */
  async check(side: Side): Promise<void> {
    const ended = await this.#child(side, [...fanoutOf(side), "run", ...side.flags, "--dry-run"], "both").ended;
    const { how } = ended;
    const refusal = REFUSAL.exec(ended.said)?.groups?.["why"];
    // A signal, such as Ctrl-C, says nothing about the flags.
    if (how.kind === "killed" || (how.kind === "exited" && how.code === ExitCode.Success && refusal === undefined))
      return;
    const said = refusal ?? ended.said.trim().replace(/^error: /u, "");
    throw new UsageError("side-refused", `--run '${side.name}': ${said === "" ? howText(ended) : said}`);
  }

  /** One run of a side. It gets the signals of this process, and then terminates its instances. */
  async measure(
    side: Side,
    interruption: { readonly signal: AbortSignal; readonly passOn: () => StopSignal },
  ): Promise<SideRun> {
    this.#runs += 1;
    const file = join(this.#folder, `${this.#runs}.json`);
    const worker = side.worker && this.#child(side, side.worker, "stderr");
    const run = this.#child(side, [...fanoutOf(side), "run", ...side.flags, "--json", file], "stdout");
    const onInterrupt = (): void => run.stop(interruption.passOn());
    interruption.signal.addEventListener("abort", onInterrupt);
    try {
      const first = await Promise.race([run.ended, ...(worker ? [worker.ended.then(() => "worker" as const)] : [])]);
      if (first === "worker" && !interruption.signal.aborted) run.stop("SIGTERM");
      const outcome = await outcomeOf(await run.ended, file);
      if (first !== "worker" || !worker || interruption.signal.aborted) return outcome;
      const ended = await worker.ended;
      const text = `its worker ${howText(ended)} before the run did: ${oneLine(ended.said)}`;
      return { ...outcome, failure: { text, exitCode: ExitCode.Failure } };
    } finally {
      interruption.signal.removeEventListener("abort", onInterrupt);
      if (worker) await end(worker);
    }
  }

  /** Stops the emulators of single sides, and deletes their state. */
  async close(): Promise<void> {
    for (const [side, folder] of this.#alone) {
      const wasUsed = (await readdir(folder)).length > 0;
      if (wasUsed) await this.#child(side, [...fanoutOf(side), "emulator", "stop"], "both").ended;
      await rm(folder, { recursive: true, force: true });
    }
    await rm(this.#folder, { recursive: true, force: true });
    process.off("exit", this.#onExit);
  }

  #child(side: Side, command: readonly string[], keeps: "stdout" | "stderr" | "both"): Child {
    const child = new Child(command, { env: this.#environments.get(side) ?? {}, keeps, stderr: "inherit" });
    this.#running.add(child);
    void child.ended.then(() => this.#running.delete(child));
    return child;
  }
}

async function outcomeOf(ended: Ended, file: string): Promise<SideRun> {
  const { how, said } = ended;
  const code = how.kind === "exited" ? how.code : undefined;
  const thresholdMissed = code === ExitCode.ThresholdMissed;
  const wasWritten = await stat(file).then(
    () => true,
    () => false,
  );
  try {
    const result = wasWritten ? { result: await readResult(file) } : {};
    if (code !== undefined && MEASURED.includes(code) && wasWritten) return { ...result, thresholdMissed };
    const summary = said.trim() === "" ? "" : `:\n${said.trim()}`;
    // A wrong configuration of the run is a wrong configuration of the comparison.
    const exitCode = code === ExitCode.Usage ? ExitCode.Usage : ExitCode.Failure;
    return { ...result, thresholdMissed, failure: { text: `\`fanout run\` ${howText(ended)}${summary}`, exitCode } };
  } catch (error) {
    if (!(error instanceof FanoutError)) throw error;
    const text = `its result cannot be read: ${errorText(error)}`;
    return { thresholdMissed, failure: { text, exitCode: ExitCode.Failure } };
  }
}

async function end(worker: Child): Promise<void> {
  worker.stop("SIGTERM");
  const patience = new AbortController();
  const late = sleep(WORKER_PATIENCE_MS, "late" as const, { signal: patience.signal }).catch(() => undefined);
  if ((await Promise.race([worker.ended, late])) === "late") worker.stop("SIGKILL");
  patience.abort();
  await worker.ended;
}

function fanoutOf({ program }: Side): readonly string[] {
  return program ?? THIS_FANOUT;
}

/**
 * The embedded emulator has the version and the settings of the process that starts it. Sides that differ in these need
 * emulators of their own, or one of them would be measured twice. Connection strings do not matter, because they start
 * no emulator.
 */
function shareEmulator(sides: readonly Side[]): boolean {
  const kinds = sides.map(({ program, variables }) => {
    const settings = Object.entries(variables).filter(([name]) => !name.endsWith("CONNECTION_STRING"));
    return JSON.stringify([program, settings.toSorted(([one], [other]) => one.localeCompare(other))]);
  });
  return new Set(kinds).size === 1;
}

/** On the user's own disk: a temporary folder may be in memory, where syncs cost nothing. */
async function stateFoldersOf(sides: readonly Side[]): Promise<ReadonlyMap<Side, string>> {
  const { folder } = openStateFolder();
  const alone = sides.filter(({ variables }) => !("FANOUT_STATE_DIR" in variables));
  return new Map(
    await Promise.all(alone.map(async (side) => [side, await mkdtemp(join(folder, "compare-"))] as const)),
  );
}

/** The step summary belongs to the comparison, not to its runs. */
function environmentOf({ variables }: Side, stateFolder: string | undefined): NodeJS.ProcessEnv {
  const { GITHUB_STEP_SUMMARY: _summary, ...ours } = process.env;
  return { ...ours, ...(stateFolder !== undefined && { FANOUT_STATE_DIR: stateFolder }), ...variables };
}
