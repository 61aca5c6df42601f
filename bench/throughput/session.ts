import { nameOf, startContender, type Contender, type StartedContender } from "#contender";
import { idleShare, measureRun, type RunMeasure } from "#measure-run";
import type { Workload } from "#workloads";

const IDLE_LOOK_MS = 1_000;

/** What came of one contender on one workload. */
export interface Standing {
  readonly contender: Contender;
  /** One for each repetition, in order; empty where there is a reason why not. */
  readonly runs: readonly RunMeasure[];
  /** Why there is no figure. */
  readonly absent?: { readonly kind: "not available" | "failed"; readonly reason: string };
}

export interface Participant {
  readonly name: string;
  /** Absent where it was never started. */
  readonly versions?: string;
  /** The share of a core that it takes with nothing to do, which is what others were measured beside. */
  readonly idleCpuShare?: number;
}

export interface SessionOptions {
  readonly contenders: readonly Contender[];
  readonly scratch: string;
  readonly reps: number;
  /** How long one run may take. */
  readonly limitSeconds: number;
  /** For a person who waits. */
  readonly say: (line: string) => void;
  readonly interrupted: AbortSignal;
}

/** Engines that are started once and take turns, workload by workload. */
export class Session {
  readonly #options: SessionOptions;
  readonly #started = new Map<Contender, StartedContender>();
  readonly #versions = new Map<Contender, string>();

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** One discarded run of each, then `reps` of each in turn. Throws where it is interrupted, and only then. */
  async measure(workload: Workload): Promise<readonly Standing[]> {
    const runs = new Map<Contender, RunMeasure[]>();
    const absent = new Map<Contender, Standing["absent"]>();
    for (const contender of this.#options.contenders) {
      const reason = contender.engine.missing() ?? contender.engine.cannot(workload);
      if (reason === undefined) runs.set(contender, []);
      else absent.set(contender, { kind: "not available", reason });
    }
    for (let rep = 0; rep <= this.#options.reps; rep += 1) {
      for (const [contender, measured] of runs) {
        const name = `${workload.name} ${rep === 0 ? "warm-up" : rep} ${nameOf(contender)}`;
        try {
          const run = await this.#run(contender, workload);
          this.#options.say(`${name}: ${Math.round(run.activitiesPerSecond)}/s`);
          if (rep > 0) measured.push(run);
        } catch (error) {
          this.#options.interrupted.throwIfAborted();
          absent.set(contender, this.#why(error));
          this.#options.say(`${name}: ${absent.get(contender)?.reason}`);
          runs.delete(contender);
          await this.#stop(contender);
        }
      }
    }
    return this.#options.contenders.map((contender) => {
      const reason = absent.get(contender);
      return { contender, runs: runs.get(contender) ?? [], ...(reason !== undefined && { absent: reason }) };
    });
  }

  /** All of them, looked at one by one while nothing is asked of any. */
  async participants(): Promise<readonly Participant[]> {
    const all: Participant[] = [];
    for (const contender of this.#options.contenders) {
      const [started, versions] = [this.#started.get(contender), this.#versions.get(contender)];
      all.push({
        name: nameOf(contender),
        ...(versions !== undefined && { versions }),
        ...(started !== undefined && { idleCpuShare: await idleShare(started, IDLE_LOOK_MS) }),
      });
    }
    return all;
  }

  async stop(): Promise<void> {
    for (const contender of this.#started.keys()) await this.#stop(contender);
  }

  async #run(contender: Contender, workload: Workload): Promise<RunMeasure> {
    const started = this.#started.get(contender) ?? (await this.#start(contender));
    const limit = AbortSignal.timeout(this.#options.limitSeconds * 1_000);
    return measureRun(started, workload, AbortSignal.any([limit, this.#options.interrupted]));
  }

  async #start(contender: Contender): Promise<StartedContender> {
    const started = await startContender(contender, this.#options.scratch);
    this.#started.set(contender, started);
    this.#versions.set(contender, started.running.versions);
    return started;
  }

  /** One that failed is started anew for the next workload. What goes wrong in stopping it is not what is measured. */
  async #stop(contender: Contender): Promise<void> {
    const started = this.#started.get(contender);
    this.#started.delete(contender);
    await started
      ?.stop()
      .catch((error: unknown) => this.#options.say(`${nameOf(contender)} did not stop: ${messageOf(error)}`));
  }

  #why(error: unknown): Standing["absent"] {
    const late = error instanceof Error && (error.name === "TimeoutError" || isTimeout(error.cause));
    if (late) return { kind: "not available", reason: `not done within ${this.#options.limitSeconds} s` };
    return { kind: "failed", reason: messageOf(error) };
  }
}

function isTimeout(cause: unknown): boolean {
  return cause instanceof Error && cause.name === "TimeoutError";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
