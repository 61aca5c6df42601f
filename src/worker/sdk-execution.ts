/**
 * The SDK's executor of one execution, kept beyond an episode. It is a private path of the SDK, pinned to one version,
 * so only this file may import it. A property test compares later episodes with the SDK's own replay, and so does
 * `OrchestratorExecutor` in a running worker.
 */
import { NoOpLogger, type TOrchestrator } from "@microsoft/durabletask-js";
import { OrchestrationExecutor } from "@microsoft/durabletask-js/dist/worker/orchestration-executor.js";
import type { RuntimeOrchestrationContext } from "@microsoft/durabletask-js/dist/worker/runtime-orchestration-context.js";
import { Registry } from "@microsoft/durabletask-js/dist/worker/registry.js";
import type { pb } from "../protocol/sidecar-stubs.js";
import type { TimeSlice } from "./time-slice.js";

type HistoryEvent = InstanceType<typeof pb.HistoryEvent>;

/** The events of an episode. */
export interface Episode {
  readonly past: HistoryEvent[];
  readonly fresh: HistoryEvent[];
}

/** The actions of an orchestrator at the end of an episode. */
export interface EpisodeOutcome {
  readonly actions: InstanceType<typeof pb.OrchestratorAction>[];
  readonly customStatus?: string | undefined;
}

export class SdkExecution {
  readonly #slice: TimeSlice;
  readonly #executor: OrchestrationExecutor;
  #context: RuntimeOrchestrationContext | undefined;

  /** Each turn of its replay respects the slice. */
  constructor(orchestrators: Readonly<Record<string, TOrchestrator>>, slice: TimeSlice) {
    this.#slice = slice;
    const registry = new Registry();
    for (const [name, orchestrator] of Object.entries(orchestrators)) {
      registry.addNamedOrchestrator(name, (context, input) => {
        this.#context = this.#sliced(context as RuntimeOrchestrationContext);
        return orchestrator(context, input);
      });
    }
    this.#executor = new OrchestrationExecutor(registry, new NoOpLogger());
  }

  /** Whether further events change nothing: the orchestrator has ended, or never began. */
  get isOver(): boolean {
    return this.#context?.["_isComplete"] ?? true;
  }

  /** The number of its activities, timers and other tasks that have not ended. */
  get outstanding(): number {
    return this.#context === undefined ? 0 : Object.keys(this.#context._pendingTasks).length;
  }

  /** Executes its first episode, from the beginning of the history. */
  replay(instanceId: string, { past, fresh }: Episode, executionId: string): Promise<EpisodeOutcome> {
    return this.#executor.execute(instanceId, past, fresh, executionId);
  }

  /**
   * Executes a later episode from the events after the processed ones. Returns undefined if only a replay gives the
   * result: after an error, whose place depends on the way to it, and for a rewind, which rewrites the history. The
   * execution must not be used after that.
   */
  async resume({ past, fresh }: Episode): Promise<EpisodeOutcome | undefined> {
    const context = this.#context;
    if (context === undefined || fresh.some((event) => event.hasExecutionrewound())) return undefined;

    try {
      await this.#process(context, past, true);
      await this.#process(context, fresh, false);
    } catch {
      return undefined;
    }
    return { actions: context.getActions(), customStatus: context.getCustomStatus() };
  }

  async #process(context: RuntimeOrchestrationContext, events: HistoryEvent[], isReplaying: boolean): Promise<void> {
    context._isReplaying = isReplaying;
    for (const event of events) await this.#executor["processEvent"](context, event);
  }

  /** The SDK awaits `resume` after each event that an orchestrator may have waited for. */
  #sliced(context: RuntimeOrchestrationContext): RuntimeOrchestrationContext {
    const resume = context.resume.bind(context);
    context.resume = async () => {
      await this.#slice.over();
      await resume();
    };
    return context;
  }
}
