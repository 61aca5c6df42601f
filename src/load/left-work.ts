import { setTimeout as sleep } from "node:timers/promises";
import { wait } from "../async/wait.js";
import type { Backend } from "../backend/backend.js";
import { plural } from "../format/count.js";
import { terminateCommand } from "../hub/terminate-command.js";
import { foreignNames } from "../plan/orchestration-mix.js";
import type { LoadPlan } from "../plan/plan.js";
import { instanceIdPrefixOf, isGeneratedRunId } from "../plan/run-id.js";
import { terminateInstances } from "../hub/terminate-instances.js";

/** Short, because a person who pressed Ctrl-C waits for it. */
const PATIENCE = {
  /** How long an interruption waits for the answers to starts before it reports what is in flight. */
  answersMs: 1_000,
  terminateMs: 5_000,
};
/** The pause between two looks at starts that were answered meanwhile. */
const LATE_STARTS_MS = 100;

export interface LeftWorkOptions {
  readonly backend: Backend;
  readonly runId: string;
  readonly plan: LoadPlan;
  /** Accepted instances that have not ended. */
  readonly inFlight: ReadonlySet<string>;
  /** Starts that were sent, and are neither answered nor given up. */
  readonly waitingForAnswer: () => number;
  /** `--leave`: nothing is terminated. */
  readonly leave: boolean;
  readonly onLine: (line: string) => void;
  readonly patience?: typeof PATIENCE;
}

/** Deals with the instances that a run started and no longer waits for. */
export class LeftWork {
  constructor(readonly options: LeftWorkOptions) {}

  /** After an interruption. `ended` resolves when the run knows that all instances have ended. */
  async afterInterruption(allStarted: Promise<void>, ended: Promise<void>): Promise<void> {
    const { inFlight, waitingForAnswer, leave, onLine, patience = PATIENCE } = this.options;
    // Starts that were sent may still be accepted, and must be terminated like the others.
    const answered = await Promise.race([
      allStarted.then(() => true),
      sleep(patience.answersMs, false, { ref: false }),
    ]);
    if (answered && inFlight.size === 0) {
      onLine("interrupted: nothing is in flight");
      return;
    }
    if (leave) {
      this.#tellLeft("interrupted: ");
      return;
    }
    const count = plural(inFlight.size, "orchestration");
    onLine(`interrupted: terminating ${count} in flight; press Ctrl-C again to exit now`);
    await this.#terminate(allStarted, ended);
    if (inFlight.size + waitingForAnswer() > 0) this.#tellLeft("interrupted: not all could be terminated in time, ");
  }

  /** After the run ended by itself. `isOwn`: no worker of others executes its instances. */
  async afterGivingUp(isOwn: boolean): Promise<void> {
    const { inFlight, leave, onLine } = this.options;
    if (inFlight.size === 0) return;
    if (leave || !isOwn) {
      this.#tellLeft("");
      return;
    }
    onLine(`terminating ${plural(inFlight.size, "orchestration")} in flight`);
    await this.#terminate(Promise.resolve(), Promise.resolve());
  }

  /** Takes at most five seconds for both. Instances that it did not reach stay. */
  async #terminate(allStarted: Promise<void>, ended: Promise<void>): Promise<void> {
    const { terminateMs } = this.options.patience ?? PATIENCE;
    const timer = new AbortController();
    const signal = AbortSignal.any([timer.signal, AbortSignal.timeout(terminateMs)]);
    // A backend that is gone has no instances to terminate.
    const terminated = this.#terminateAll(allStarted, signal).catch(() => {});
    const patience = wait(terminateMs, signal);
    await Promise.race([Promise.all([terminated, ended]), patience]);
    timer.abort();
  }

  /** Terminates what is in flight at once, and what is accepted later as its answer comes. */
  async #terminateAll(allStarted: Promise<void>, signal: AbortSignal): Promise<void> {
    const { backend, inFlight } = this.options;
    const asked = new Set<string>();
    let areAllStarted = false;
    const started = allStarted.then(() => (areAllStarted = true));
    for (let isLast = false; !isLast && !signal.aborted;) {
      isLast = areAllStarted;
      const more = [...inFlight].filter((instanceId) => !asked.has(instanceId));
      for (const instanceId of more) asked.add(instanceId);
      await terminateInstances(backend.client, more, signal);
      if (!isLast) await Promise.race([started, wait(LATE_STARTS_MS, signal)]);
    }
  }

  #tellLeft(how: string): void {
    const { backend, runId, plan, inFlight, waitingForAnswer, onLine } = this.options;
    const starts = waitingForAnswer();
    const unanswered = starts === 0 ? "" : ` and ${plural(starts, "start")} without an answer`;
    const names = isGeneratedRunId(runId) ? [] : foreignNames(plan);
    onLine(
      `${how}${plural(inFlight.size, "orchestration")} in flight${unanswered} left running on task hub ` +
        `${backend.connection.taskHub}, ids ${instanceIdPrefixOf(runId)}*; to end them: ${terminateCommand(runId, names)}`,
    );
  }
}
