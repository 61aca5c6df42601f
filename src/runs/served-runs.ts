import { createHash } from "node:crypto";
import { UsageError, FanoutError } from "../errors.js";
import { plural } from "../format/count.js";
import { newRunId } from "../plan/run-id.js";
import type { PlannedRun } from "./planned-run.js";
import type { ServedRun, ServedRunOptions } from "./served-run.js";

/** How many runs that have ended are kept, the last ones. */
export const MOST_KEPT = 50;

export interface ServedRunsOptions {
  /** How many runs may be in progress at a time. */
  readonly most: number;
  /** Starts a run. */
  readonly start: (run: Pick<ServedRunOptions, "runId" | "planned">) => Promise<ServedRun>;
  readonly onStart: (run: ServedRun) => void;
}

/** A start as it was asked for. */
interface AskedStart {
  readonly body: unknown;
  /** The Idempotency-Key. */
  readonly key: string | undefined;
  /** @throws if the body is no plan */
  readonly plan: () => PlannedRun;
  /** Rejects if the backend must not get the run, or cannot be used. */
  readonly admit: (planned: PlannedRun) => Promise<void>;
}

/** What came with an Idempotency-Key, and what became of it. */
interface KeyedStart {
  readonly fingerprint: string;
  readonly started: Promise<ServedRun>;
}

/** The runs that this server has started: those in progress, and the last that have ended. */
export class ServedRuns {
  readonly #runs = new Map<string, ServedRun>();
  readonly #keys = new Map<string, KeyedStart>();
  /** By run id. */
  readonly #starting = new Map<string, Promise<ServedRun>>();
  readonly #onEnd: ((run: ServedRun) => void)[] = [];
  #isClosing = false;

  constructor(readonly options: ServedRunsOptions) {}

  /** Calls `tell` with each run that has ended. */
  onEnd(tell: (run: ServedRun) => void): void {
    this.#onEnd.push(tell);
  }

  /** The last one to start comes first. */
  get all(): readonly ServedRun[] {
    return [...this.#runs.values()].toReversed();
  }

  get inProgress(): readonly ServedRun[] {
    return [...this.#runs.values()].filter(({ hasEnded }) => !hasEnded);
  }

  /** Of the runs in progress: sent, and not ended. */
  get orchestrationsInFlight(): number {
    return this.inProgress.reduce((sum, { snapshot }) => sum + (snapshot?.own?.inFlight ?? 0), 0);
  }

  get(runId: string): ServedRun | undefined {
    return this.#runs.get(runId);
  }

  /**
   * Starts a run; or with a key that came before, returns the run that it started, whatever the plan and the backend are by
   * now.
   * @throws FanoutError if the key had another body, if there are too many runs, or if the server ends
   */
  async start(asked: AskedStart): Promise<ServedRun> {
    const { body, key } = asked;
    if (key === undefined) return this.#start(asked);
    const fingerprint = createHash("sha256").update(canonicalJson(body)).digest("hex");
    const before = this.#keys.get(key);
    if (before !== undefined) {
      if (before.fingerprint === fingerprint) return before.started;
      throw new FanoutError("idempotency-key-reused", "This Idempotency-Key came before, with another body.", {
        hint: "Send another key with another plan.",
      });
    }
    const started = this.#start(asked);
    this.#keys.set(key, { fingerprint, started });
    // A start that was refused may be repeated.
    started.catch(() => this.#keys.delete(key));
    return started;
  }

  /** Ends all runs as Ctrl-C does, and starts no more. Resolves when they have ended. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const run of this.inProgress) run.cancel();
    await Promise.allSettled(this.#starting.values());
    await Promise.all(this.inProgress.map(({ ended }) => ended));
  }

  async #start({ plan, admit }: AskedStart): Promise<ServedRun> {
    const planned = plan();
    this.#refuseIfClosing();
    const { most } = this.options;
    if (this.inProgress.length + this.#starting.size >= most) {
      const problem = `The server makes at most ${plural(most, "run")} at a time (--max-runs).`;
      throw new FanoutError("too-many-runs", problem, { hint: "Try again when a run has ended, or cancel one." });
    }
    const runId = planned.runId ?? newRunId(Date.now(), Math.random);
    if (this.#runs.has(runId) || this.#starting.has(runId))
      throw new UsageError("run-id-taken", `runId: expected an id that is not in use, found ${runId}`);
    const started = this.#startAdmitted(runId, planned, admit);
    this.#starting.set(runId, started);
    return started;
  }

  /** Its place is taken before the backend is asked, so that a server that is busy does not ask. */
  async #startAdmitted(runId: string, planned: PlannedRun, admit: AskedStart["admit"]): Promise<ServedRun> {
    try {
      await admit(planned);
      this.#refuseIfClosing();
      const run = await this.options.start({ runId, planned });
      this.#add(run);
      return run;
    } finally {
      this.#starting.delete(runId);
    }
  }

  #refuseIfClosing(): void {
    if (this.#isClosing) throw serverStopping();
  }

  #add(run: ServedRun): void {
    this.#runs.set(run.runId, run);
    this.options.onStart(run);
    // The server may have been told to end while the run was started.
    if (this.#isClosing) run.cancel();
    void run.ended.then(() => {
      for (const tell of this.#onEnd) tell(run);
      this.#forget();
    });
  }

  /** Drops the runs that ended first, with their keys. */
  #forget(): void {
    const ended = [...this.#runs.values()].filter(({ hasEnded }) => hasEnded);
    const oldest = ended.toSorted((a, b) => Number(a.endedAt) - Number(b.endedAt));
    for (const { runId } of oldest.slice(0, Math.max(0, ended.length - MOST_KEPT))) this.#runs.delete(runId);
    for (const [key, { started }] of this.#keys)
      void started.then(({ runId }) => this.#runs.has(runId) || this.#keys.delete(key)).catch(() => {});
  }
}

export function serverStopping(): FanoutError {
  return new FanoutError("server-stopping", "The server ends, and starts nothing more.");
}

/** The same text for the same value, whatever the order of its keys. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
