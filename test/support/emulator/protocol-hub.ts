import { OrchestrationStatus, type OrchestrationState, type TaskHubGrpcClient } from "@microsoft/durabletask-js";
import type { HistoryEvent, HistoryEventType, Task } from "@microsoft/durabletask-js";
import { afterEach, beforeEach } from "vitest";
import type { RawConnection } from "./raw-connection.js";
import { ServedEmulator, type Workload } from "./served-emulator.js";

/** What an orchestrator of a test is: it yields tasks and gets their results. */
export type Steps = AsyncGenerator<Task<unknown>, unknown, unknown>;

/** The two forms of a behaviour that has to survive the process. */
export const WITH_AND_WITHOUT_RESTART = [
  ["", false],
  [" after a restart of the emulator", true],
] as const;

interface End {
  readonly status: string;
  readonly output: unknown;
  readonly failure: { readonly errorType: string; readonly message: string } | undefined;
}

/** A task hub of a served emulator of its own for each test, spoken to with the SDK's client and workers. */
export class ProtocolHub {
  #served!: ServedEmulator;
  #client!: TaskHubGrpcClient;
  #raw!: RawConnection;
  #fences = 0;

  static forEachTest(): ProtocolHub {
    const hub = new ProtocolHub();
    beforeEach(async () => {
      hub.#served = await ServedEmulator.start();
      hub.#connect();
    });
    afterEach(() => {
      hub.#served.close();
    });
    return hub;
  }

  get client(): TaskHubGrpcClient {
    return this.#client;
  }

  get raw(): RawConnection {
    return this.#raw;
  }

  /** A connection of its own, which `cut` breaks. */
  async cuttable(): Promise<{ connection: RawConnection; cut: () => void }> {
    return this.#served.connectCuttably();
  }

  /** A worker of the workload, which makes `passed` work as well. */
  async worker(work: Workload): Promise<void> {
    await this.#served.worker({ ...work, orchestrators: { ...work.orchestrators, fence: () => "passed" } });
  }

  /** Ends the emulator as it stands and serves what is on disk anew; workers come back by themselves, in a while. */
  async restart(work?: Workload): Promise<void> {
    await this.restartAfter(() => Promise.resolve());
    if (work !== undefined) await this.worker(work);
  }

  /** The same, with something done while no emulator runs. */
  async restartAfter(pass: () => Promise<void>): Promise<void> {
    this.#served.stop();
    await pass();
    await this.#served.open();
    this.#connect();
  }

  /** Resolves when what was ready before the call has been with the worker: it gets work in the order in which it is ready. */
  async passed(): Promise<void> {
    const id = `fence-${(this.#fences += 1)}`;
    await this.client.scheduleNewOrchestration("fence", undefined, id);
    await this.end(id);
  }

  /** Resolves when the orchestrator has run once, and waits. */
  async begun(instanceId: string): Promise<void> {
    await this.client.waitForOrchestrationStart(instanceId);
  }

  async end(instanceId: string): Promise<End> {
    const state = await this.client.waitForOrchestrationCompletion(instanceId);
    return {
      status: nameOf(state),
      output: state?.serializedOutput === undefined ? undefined : JSON.parse(state.serializedOutput),
      failure: state?.failureDetails,
    };
  }

  async status(instanceId: string): Promise<string> {
    return nameOf(await this.client.getOrchestrationState(instanceId));
  }

  async history(instanceId: string): Promise<HistoryEvent[]> {
    return this.client.getOrchestrationHistory(instanceId);
  }

  /** How many events of that type an instance has. */
  async count(instanceId: string, type: HistoryEventType): Promise<number> {
    return (await this.history(instanceId)).filter((event) => event.type === type).length;
  }

  #connect(): void {
    this.#client = this.#served.client();
    this.#raw = this.#served.connect();
  }
}

function nameOf(state: OrchestrationState | undefined): string {
  return state === undefined ? "none" : OrchestrationStatus[state.runtimeStatus];
}

/** An activity that says when it is called, and ends when it is let. */
export class Gate {
  readonly #reached = Promise.withResolvers<void>();
  readonly #opened = Promise.withResolvers<unknown>();
  calls = 0;

  readonly activity = (): Promise<unknown> => {
    this.calls += 1;
    this.#reached.resolve();
    return this.#opened.promise;
  };

  get reached(): Promise<void> {
    return this.#reached.promise;
  }

  open(result: unknown): void {
    this.#opened.resolve(result);
  }
}
