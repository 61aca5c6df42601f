import { readActions } from "../../../src/protocol/orchestrator-actions.js";
import type { RpcCode } from "../../../src/protocol/rpc-error.js";
import { pb } from "../../../src/protocol/sidecar-stubs.js";
import type { Random } from "../random.js";
import type { Calls } from "./calls.js";
import { ModelWorker, type HeldActivity, type HeldEpisode, type HeldItem, type Traits } from "./model-worker.js";
import type { Orchestrators } from "./orchestrators.js";
import type { Scene } from "./scene.js";

const MOST_WORKERS = 3;

/** A worker cannot know that its token is stale. */
const MAY_BE_STALE: readonly RpcCode[] = ["NOT_FOUND"];

export interface Holding<T extends HeldItem = HeldItem> {
  readonly holder: ModelWorker;
  readonly item: T;
}

/** The workers that are connected, and what they do with what they are sent. */
export class Workers {
  readonly #scene: Scene;
  readonly #calls: Calls;
  readonly #random: Random;
  readonly #orchestrators: Orchestrators;
  /** Ids of the activities that were run; no id is given twice in a seed. */
  readonly tasksRun = new Set<number>();
  readonly #connected = new Set<ModelWorker>();
  #ids = 0;

  constructor(scene: Scene, calls: Calls, random: Random, orchestrators: Orchestrators) {
    this.#scene = scene;
    this.#calls = calls;
    this.#random = random;
    this.#orchestrators = orchestrators;
  }

  get connected(): readonly ModelWorker[] {
    return [...this.#connected];
  }

  get holdings(): Holding[] {
    return this.connected.flatMap((holder) => [...holder.held].map((item) => ({ holder, item })));
  }

  /** One that may remember histories, and may not take everything at a time. */
  connectAny(): void {
    if (this.#connected.size < MOST_WORKERS) {
      const limit = (): number => this.#random.between(1, 2);
      this.connect(this.#random.next() < 0.4 ? { activity: limit(), episode: limit() } : {});
    }
  }

  connect(limits: Traits["limits"] = {}): void {
    const remembersHistory = this.#random.next() < 0.5;
    const worker = new ModelWorker(`w${(this.#ids += 1)}`, { limits, remembersHistory }, this.#scene);
    this.#scene.trace.note("connect", `${worker.worker.id} ${JSON.stringify({ ...limits, remembersHistory })}`);
    this.#connected.add(worker);
    this.#scene.hub.addWorker(worker.worker);
  }

  /** Cuts the connection: it is not told, and what it holds is gone for it. */
  disconnect(worker: ModelWorker): void {
    this.#scene.trace.note("disconnect", worker.worker.id);
    this.#connected.delete(worker);
    this.#scene.hub.disconnect(worker.leases);
  }

  disconnectAny(): void {
    this.#withAny(this.connected, (worker) => {
      this.disconnect(worker);
    });
  }

  /** The process at the other end of all connections is gone. */
  lose(): void {
    this.#connected.clear();
  }

  completeAny(): void {
    this.#withAny(this.holdings, (holding) => {
      this.complete(holding);
    });
  }

  abandonAny(): void {
    this.#withAny(this.holdings, ({ holder, item }) => {
      this.#scene.trace.note("abandon", item.token);
      holder.held.delete(item);
      this.#scene.hub.abandon(item.token);
    });
  }

  /** A worker on a link says that it does not have the history. */
  giveBackAny(): void {
    this.#withAny(this.holdings.filter(isOfEpisode), (holding) => {
      this.#giveBack(holding);
    });
  }

  /** What a worker keeps of histories is bounded: some of it goes without the hub's knowing. */
  forgetAny(): void {
    const remembered = this.connected.flatMap((worker) => worker.remembered.map((id) => ({ worker, id })));
    this.#withAny(remembered, ({ worker, id }) => {
      this.#scene.trace.note("forget", `${worker.worker.id} ${id}`);
      worker.forget(id);
    });
  }

  complete({ holder, item }: Holding): void {
    if (item.kind === "activity") {
      holder.held.delete(item);
      this.#completeActivity(item);
    } else if (item.history === undefined) {
      this.#giveBack({ holder, item });
    } else {
      holder.held.delete(item);
      this.#completeEpisode(holder, item, item.history);
    }
  }

  #completeActivity({ token, instanceId, taskId }: HeldActivity): void {
    this.tasksRun.add(taskId);
    const failure = this.#random.next() < 0.2 ? new pb.TaskFailureDetails().serializeBinary() : undefined;
    const answered = this.#calls.ask("complete activity", `${instanceId}#${taskId} ${token}`, MAY_BE_STALE);
    this.#scene.hub.completeActivity(token, { result: undefined, failure }, answered);
  }

  #completeEpisode(holder: ModelWorker, episode: HeldEpisode, history: NonNullable<HeldEpisode["history"]>): void {
    const { token, instanceId } = episode;
    const actions = this.#orchestrators.answer(history, episode.newEvents);
    if (actions.some((action) => action.hasCompleteorchestration())) holder.forget(instanceId);
    else holder.remember(episode);

    const kinds = actions.map(kindOf).join(" ");
    const answered = this.#calls.ask("complete episode", `${instanceId} ${token} ${kinds}`.trimEnd(), MAY_BE_STALE);
    const completion = { actions: readActions(actions.map((action) => action.serializeBinary())) };
    this.#scene.hub.completeEpisode(
      token,
      { ...completion, customStatus: undefined, traceContext: undefined },
      answered,
    );
  }

  #giveBack({ holder, item }: Holding<HeldEpisode>): void {
    this.#scene.trace.note("give back", item.token);
    holder.held.delete(item);
    holder.forget(item.instanceId);
    if (this.#scene.hub.giveBack(item.token)) holder.expectWholeHistory(item);
  }

  #withAny<T>(some: readonly T[], act: (one: T) => void): void {
    if (some.length > 0) act(this.#random.pick(some));
  }
}

function isOfEpisode(holding: Holding): holding is Holding<HeldEpisode> {
  return holding.item.kind === "episode";
}

function kindOf(action: InstanceType<typeof pb.OrchestratorAction>): string {
  const { OrchestratoractiontypeCase: kinds } = pb.OrchestratorAction;
  const kind = Object.entries(kinds).find(([, number]) => number === action.getOrchestratoractiontypeCase());
  return `${kind?.[0].toLowerCase()}#${action.getId()}`;
}
