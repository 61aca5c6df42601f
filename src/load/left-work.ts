import { setTimeout as sleep } from "node:timers/promises";
import type { Backend } from "../backend/backend.js";
import { plural } from "../format/count.js";
import { terminateCommand } from "../hub/terminate-command.js";
import { foreignNames } from "../plan/orchestration-mix.js";
import type { LoadPlan } from "../plan/plan.js";
import { instanceIdPrefixOf, isGeneratedRunId } from "../plan/run-id.js";
import { terminateInstances } from "../hub/terminate-instances.js";

/** How long an interruption waits for the answers to starts before it reports what is in flight. */
const START_PATIENCE_MS = 1_000;
/** Short, because a person who pressed Ctrl-C waits for it. */
const TERMINATE_PATIENCE_MS = 5_000;

export interface LeftWorkOptions {
  readonly backend: Backend;
  readonly runId: string;
  readonly plan: LoadPlan;
  /** Accepted instances that have not ended. */
  readonly inFlight: ReadonlySet<string>;
  /** `--leave`: nothing is terminated. */
  readonly leave: boolean;
  readonly onLine: (line: string) => void;
}

/** Deals with the instances that a run started and no longer waits for. */
export class LeftWork {
  constructor(readonly options: LeftWorkOptions) {}

  /** After an interruption. `ended` resolves when the run knows that all instances have ended. */
  async afterInterruption(allStarted: Promise<void>, ended: Promise<void>): Promise<void> {
    const { inFlight, leave, onLine } = this.options;
    // Starts that were sent may still be accepted, and must be terminated like the others.
    const answered = await Promise.race([allStarted.then(() => true), sleep(START_PATIENCE_MS, false, { ref: false })]);
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
    if (inFlight.size > 0) this.#tellLeft("interrupted: not all could be terminated in time, ");
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
    const { backend, inFlight } = this.options;
    const timer = new AbortController();
    const signal = AbortSignal.any([timer.signal, AbortSignal.timeout(TERMINATE_PATIENCE_MS)]);
    const terminated = allStarted
      .then(() => terminateInstances(backend.client, [...inFlight], signal))
      // A backend that is gone has no instances to terminate.
      .catch(() => {});
    const patience = sleep(TERMINATE_PATIENCE_MS, undefined, { signal }).catch(() => {});
    await Promise.race([Promise.all([terminated, ended]), patience]);
    timer.abort();
  }

  #tellLeft(how: string): void {
    const { backend, runId, plan, inFlight, onLine } = this.options;
    const names = isGeneratedRunId(runId) ? [] : foreignNames(plan);
    onLine(
      `${how}${plural(inFlight.size, "orchestration")} in flight left running on task hub ` +
        `${backend.connection.taskHub}, ids ${instanceIdPrefixOf(runId)}*; to end them: ${terminateCommand(runId, names)}`,
    );
  }
}
