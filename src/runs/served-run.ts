import type { ErrorCode } from "../errors.js";
import type { ExitCode } from "../exit-codes.js";
import { oneLine, shortened, toldText } from "../format/one-line.js";
import type { GeneratorEnd, GeneratorProcess } from "../generators/generator-process.js";
import type { LoadTestOutcome } from "../load/load-test.js";
import type { ResultPlan, RunResult } from "../result/run-result.js";
import type { RunBuckets } from "../stats/latency-buckets.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import type { LiveUpdate } from "../live/live-update.js";
import { waitingUpdate } from "../live/waiting-update.js";
import { hasLeft } from "./has-left.js";
import type { ListedRun, RunFailure, RunStatus, Watched } from "./listed-run.js";
import type { PlannedRun } from "./planned-run.js";
import { textInMemory, type ResultText } from "./result-text.js";
import { figuresOf, type RunFigures } from "./run-figures.js";
import { RunBroadcast } from "./run-broadcast.js";
import type { RunTask } from "./run-task.js";

const MOST_LINES = 100;
const LONGEST_LINE = 2_000;
/** An interruption in order takes 15 seconds on a backend that answers slowly. */
const CANCEL_PATIENCE_MS = 60_000;

/** Where the report of a run with a result is. */
function reportPathOf(runId: string): string {
  return `/runs/${runId}/report`;
}

export interface ServedRunOptions {
  readonly runId: string;
  readonly planned: PlannedRun;
  /** Starts the process of the run. */
  readonly fork: (onLine: (line: string) => void) => GeneratorProcess<RunTask>;
  readonly connectionString: string;
  readonly exitCodeOf: (outcome: LoadTestOutcome) => ExitCode;
  /** Terminates what the run left in flight. Resolves with a sentence about it, and never rejects. */
  readonly cleanUp: () => Promise<string>;
  /** What the last event of its viewers says. */
  readonly bodyOf: (run: ServedRun) => object;
}

/** One run in a process of its own, from its start until the server forgets it. */
export class ServedRun implements ListedRun {
  readonly created = new Date();
  readonly #broadcast: RunBroadcast;
  readonly lines: string[] = [];
  /** Resolves when it has ended, and what it left in flight is terminated. */
  readonly ended: Promise<void>;
  #status: RunStatus = "starting";
  #endedAt: Date | undefined;
  #outcome: LoadTestOutcome | undefined;
  #failure: RunFailure | undefined;
  /** What became of the orchestrations that a cancelled run could not terminate in time. */
  #cleanedUp: string | undefined;
  /** Before, its id may be that of another run: the process has not checked it. */
  #mayHaveStarted = false;
  readonly #process: GeneratorProcess<RunTask>;

  constructor(readonly options: ServedRunOptions) {
    const { fork, planned, runId, connectionString } = options;
    this.#process = fork((line) => this.#say(line));
    this.#broadcast = new RunBroadcast({
      first: waitingUpdate({ ...planned, runId }),
      snapshot: () => this.snapshot,
      lines: () => this.lines,
      watch: (isWatched) => this.#process.watch(isWatched),
    });
    this.#process.onUpdate = (update) => this.#broadcast.take(update);
    this.#process.prepare({ flags: planned.flags, runId, connectionString });
    void this.#process.ready.then(() => {
      this.#mayHaveStarted = true;
      if (this.#status === "starting") this.#status = "running";
    });
    this.ended = this.#process.ended.then((end) => this.#end(end));
  }

  get runId(): string {
    return this.options.runId;
  }

  get planLine(): string {
    return this.options.planned.planLine;
  }

  get plan(): ResultPlan {
    return this.options.planned.plan;
  }

  get mostActions(): number | undefined {
    return this.options.planned.mostActions;
  }

  get status(): RunStatus {
    return this.#status;
  }

  get hasEnded(): boolean {
    return this.#endedAt !== undefined;
  }

  get endedAt(): Date | undefined {
    return this.#endedAt;
  }

  get snapshot(): LiveSnapshot | undefined {
    return this.#process.snapshot;
  }

  get figures(): RunFigures {
    return figuresOf(this.result, this.snapshot);
  }

  /** Its latencies so far, for metrics. */
  get latencies(): RunBuckets | undefined {
    return this.#process.latencies;
  }

  get result(): RunResult | undefined {
    return this.#outcome?.result;
  }

  get hasResult(): boolean {
    return this.#outcome !== undefined;
  }

  readResult(): Promise<RunResult | undefined> {
    return Promise.resolve(this.result);
  }

  openResult(): Promise<ResultText | undefined> {
    const { result } = this;
    return Promise.resolve(result && textInMemory(Buffer.from(JSON.stringify(result))));
  }

  get gaveUp(): string | undefined {
    return this.#outcome?.gaveUp;
  }

  get failure(): RunFailure | undefined {
    return this.#failure;
  }

  get cleanedUp(): string | undefined {
    return this.#cleanedUp;
  }

  /** That of `fanout run` with the same plan, as far as no signal ended it. */
  get exitCode(): ExitCode | undefined {
    return this.#status === "completed" && this.#outcome ? this.options.exitCodeOf(this.#outcome) : undefined;
  }

  cancel(): void {
    if (this.#status !== "starting" && this.#status !== "running") return;
    this.#status = "ending";
    this.#broadcast.enter({ kind: "ending", why: "It was cancelled, and ends what is in flight." });
    this.#process.interrupt();
    const why = `did not end within ${CANCEL_PATIENCE_MS / 1_000} s after it was cancelled`;
    const timer = setTimeout(() => this.#process.kill(why), CANCEL_PATIENCE_MS);
    void this.#process.ended.then(() => clearTimeout(timer));
  }

  async #end(end: GeneratorEnd): Promise<void> {
    if (end.kind === "ended") {
      this.#outcome = end;
      if (hasLeft(end.result)) {
        this.#cleanedUp = await this.options.cleanUp();
        this.#say(this.#cleanedUp);
      }
      this.#finish(end.result.interrupted ? "cancelled" : "completed");
      return;
    }
    const { code = "run-died", how } = end;
    const what = code === "run-died" ? `The process of the run ${how}.` : how.replace(/^failed: /u, "");
    this.#failure = { code, message: [toldText(what), ...(await this.#leftBehind(code))].join(" ") };
    this.#finish("failed");
  }

  async #leftBehind(code: ErrorCode): Promise<readonly string[]> {
    if (this.#mayHaveStarted) return [await this.options.cleanUp()];
    return code === "run-died" ? ["It had started nothing."] : [];
  }

  #finish(status: RunStatus): void {
    this.#endedAt = new Date();
    this.#status = status;
    this.#process.leave();
    const why = this.#failure?.message;
    this.#broadcast.end(
      why === undefined ? { kind: "ended", report: reportPathOf(this.runId) } : { kind: "failed", why },
      { name: "ended", data: this.options.bodyOf(this) },
    );
  }

  async watch(): Promise<Watched> {
    await this.#broadcast.refreshed();
    return this.#broadcast;
  }

  /** The last one, with the whole series. */
  get update(): LiveUpdate {
    return this.#broadcast.whole;
  }

  #say(line: string): void {
    this.lines.push(shortened(oneLine(line), LONGEST_LINE));
    if (this.lines.length > MOST_LINES) this.lines.shift();
  }
}
