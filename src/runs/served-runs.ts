import { createHash } from "node:crypto";
import { UsageError, FanoutError } from "../errors.js";
import { formatBytes } from "../format/bytes.js";
import { plural } from "../format/count.js";
import { newRunId } from "../plan/run-id.js";
import type { PlannedRun } from "./planned-run.js";
import { isKept, keptRun, type BodyOf } from "./kept-run.js";
import type { ListedRun, RunFacts } from "./listed-run.js";
import { MemoryRecord } from "./memory-record.js";
import type { RunArchive } from "./run-archive.js";
import type { RunRecord, StartKey } from "./run-record.js";
import { ServedRun, type ServedRunOptions } from "./served-run.js";

/** How many runs that have ended are kept, the last ones. */
export const MOST_KEPT = 50;

/** What runs on disk may take. The last run is kept whatever it takes. */
const MOST_BYTES = 500 * 1024 * 1024;

/** What runs that are not on disk may take. The last one is kept whatever it takes. */
const MOST_MEMORY_BYTES = 100_000_000;

export interface ServedRunsOptions {
  /** How many runs may be in progress at a time. */
  readonly most: number;
  /** Starts a run. */
  readonly start: (run: Pick<ServedRunOptions, "runId" | "planned">) => Promise<ServedRun>;
  readonly onStart: (run: ServedRun) => void;
  /** Where runs are kept; absent for a server that forgets them when it ends. */
  readonly archive?: RunArchive | undefined;
  readonly mostMemoryBytes?: number;
  readonly bodyOf: BodyOf;
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

interface AdmittedStart extends Pick<AskedStart, "admit"> {
  readonly runId: string;
  readonly planned: PlannedRun;
  readonly key: StartKey | undefined;
}

/** What came with an Idempotency-Key, and what became of it. */
interface KeyedStart {
  readonly fingerprint: string;
  /** The run id. */
  readonly started: Promise<string>;
}

/** The runs of this server: those in progress, and the last that have ended, here or in a server before. */
export class ServedRuns {
  readonly #runs = new Map<string, ListedRun>();
  readonly #keys = new Map<string, KeyedStart>();
  /** By run id. */
  readonly #starting = new Map<string, Promise<ServedRun>>();
  /** Runs that have ended, on their way to the disk. */
  readonly #keeping = new Set<Promise<unknown>>();
  readonly #onEnd: ((run: ServedRun) => void)[] = [];
  #isClosing = false;

  constructor(readonly options: ServedRunsOptions) {}

  /** Calls `tell` with each run that has ended. */
  onEnd(tell: (run: ServedRun) => void): void {
    this.#onEnd.push(tell);
  }

  /** The last one to start comes first. */
  get all(): readonly ListedRun[] {
    return [...this.#runs.values()].toReversed();
  }

  get inProgress(): readonly ServedRun[] {
    return [...this.#runs.values()].filter((run) => run instanceof ServedRun).filter(({ hasEnded }) => !hasEnded);
  }

  /** Lists the runs that a server before has kept. */
  async restore(): Promise<void> {
    const { archive, bodyOf } = this.options;
    if (archive === undefined) return;
    for (const archived of await archive.load()) {
      const { facts, start } = archived.head;
      this.#runs.set(facts.runId, keptRun(archived, bodyOf));
      if (start) this.#keys.set(start.key, { fingerprint: start.fingerprint, started: Promise.resolve(facts.runId) });
    }
    await this.#forget();
  }

  /** Of the runs in progress: sent, and not ended. */
  get orchestrationsInFlight(): number {
    return this.inProgress.reduce((sum, { snapshot }) => sum + (snapshot?.own?.inFlight ?? 0), 0);
  }

  get(runId: string): ListedRun | undefined {
    return this.#runs.get(runId);
  }

  /**
   * Starts a run; or with a key that came before, returns the run that it started, whatever the plan and the backend are by
   * now.
   * @throws FanoutError if the key had another body, if there are too many runs, or if the server ends
   */
  async start(asked: AskedStart): Promise<ListedRun> {
    const { body, key } = asked;
    if (key === undefined) return this.#start(asked);
    const fingerprint = createHash("sha256").update(canonicalJson(body)).digest("hex");
    const before = this.#keys.get(key);
    if (before !== undefined) {
      if (before.fingerprint === fingerprint) return this.#runs.get(await before.started)!;
      throw new FanoutError("idempotency-key-reused", "This Idempotency-Key came before, with another body.", {
        hint: "Send another key with another plan.",
      });
    }
    const run = this.#start(asked, { key, fingerprint });
    const started = run.then(({ runId }) => runId);
    this.#keys.set(key, { fingerprint, started });
    // A start that was refused may be repeated.
    started.catch(() => this.#keys.delete(key));
    return run;
  }

  /** Ends all runs as Ctrl-C does, and starts no more. Resolves when they have ended. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const run of this.inProgress) run.cancel();
    await Promise.allSettled(this.#starting.values());
    const here = [...this.#runs.values()].filter((run) => run instanceof ServedRun);
    await Promise.all(here.map(({ ended }) => ended));
    await Promise.all(this.#keeping);
  }

  async #start({ plan, admit }: AskedStart, key?: StartKey): Promise<ServedRun> {
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
    const started = this.#startAdmitted({ runId, planned, admit, key });
    this.#starting.set(runId, started);
    return started;
  }

  /** Its place is taken before the backend is asked, so that a server that is busy does not ask. */
  async #startAdmitted({ runId, planned, admit, key }: AdmittedStart): Promise<ServedRun> {
    try {
      await admit(planned);
      this.#refuseIfClosing();
      const run = await this.options.start({ runId, planned });
      this.#add(run, key);
      return run;
    } finally {
      this.#starting.delete(runId);
    }
  }

  #refuseIfClosing(): void {
    if (this.#isClosing) throw serverStopping();
  }

  #add(run: ServedRun, key: StartKey | undefined): void {
    this.#runs.set(run.runId, run);
    this.options.onStart(run);
    // The server may have been told to end while the run was started.
    if (this.#isClosing) run.cancel();
    const begun = this.options.archive?.begin(recordOf(run, key));
    void run.ended.then(async () => {
      for (const tell of this.#onEnd) tell(run);
      const kept = this.#keep(run, key, begun);
      this.#keeping.add(kept);
      await kept;
      this.#keeping.delete(kept);
    });
  }

  /** On disk, and then in memory no more; or in memory as text. */
  async #keep(run: ServedRun, key: StartKey | undefined, begun: Promise<void> | undefined): Promise<void> {
    const { archive, bodyOf } = this.options;
    await begun;
    const record = recordOf(run, key);
    this.#runs.set(run.runId, keptRun((await archive?.keep(record)) ?? new MemoryRecord(record), bodyOf));
    await this.#forget();
    this.#shrink();
  }

  /** Drops the runs that ended first, with their keys. */
  async #forget(): Promise<void> {
    const gone: ListedRun[] = [];
    let bytes = 0;
    for (const [index, run] of this.#newest.entries()) {
      bytes += isKept(run) && !(run.record instanceof MemoryRecord) ? run.record.bytes : 0;
      if (index < MOST_KEPT && (index === 0 || bytes <= MOST_BYTES)) continue;
      this.#runs.delete(run.runId);
      gone.push(run);
    }
    for (const [key, { started }] of this.#keys)
      void started.then((runId) => this.#runs.has(runId) || this.#keys.delete(key)).catch(() => {});
    await Promise.all(gone.map(async (run) => this.options.archive?.drop(run)));
  }

  /** Drops the results that are not on disk and ended first. */
  #shrink(): void {
    const { mostMemoryBytes = MOST_MEMORY_BYTES, bodyOf } = this.options;
    const why =
      "The server holds the result no more. Results that it cannot keep on disk may take " +
      `${formatBytes(mostMemoryBytes)} of its memory, and the oldest go first.`;
    let bytes = 0;
    for (const { runId, record } of this.#newest.filter(isKept)) {
      if (!(record instanceof MemoryRecord)) continue;
      const isLast = bytes === 0;
      bytes += record.bytes;
      if (!isLast && bytes > mostMemoryBytes) this.#runs.set(runId, keptRun(record.withoutResult(why), bodyOf));
    }
  }

  /** Of the runs that have ended, the last one to end first. */
  get #newest(): readonly ListedRun[] {
    const ended = [...this.#runs.values()].filter(({ hasEnded }) => hasEnded);
    return ended.toSorted((a, b) => timeOf(b) - timeOf(a));
  }
}

function timeOf({ endedAt, created }: ListedRun): number {
  return Number(endedAt ?? created);
}

function recordOf(run: ServedRun, start: StartKey | undefined): RunRecord {
  return { facts: factsOf(run), start, update: run.update, result: run.result };
}

function factsOf(run: ServedRun): RunFacts {
  const { runId, status, created, endedAt, planLine, plan, mostActions, snapshot, exitCode, gaveUp, failure } = run;
  const { lines, figures } = run;
  return {
    runId,
    status,
    created,
    endedAt,
    planLine,
    plan,
    mostActions,
    snapshot,
    figures,
    exitCode,
    gaveUp,
    failure,
    lines,
  };
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
