import type { HubContext } from "./hub-context.js";
import { RpcError } from "../../protocol/rpc-error.js";
import type { ActiveInstance } from "../store/store.js";
import { TaskHub } from "./task-hub.js";

type Answer = (error: Error | undefined) => void;

/** The task hubs of an emulator, by their names. */
export class TaskHubs {
  readonly #context: HubContext;
  readonly #open = new Map<string, TaskHub>();
  /** Those that there are; undefined if any may be named. */
  readonly #names: Set<string> | undefined;

  /** `names` are those that there are besides those that CreateTaskHub has made; undefined: any that is named. */
  constructor(context: HubContext, names: readonly string[] | undefined) {
    this.#context = context;
    this.#names = names && new Set([...names, ...context.store.taskHubs()]);
  }

  /** Those that somebody has named by now, or that hold something in flight. */
  get all(): Iterable<TaskHub> {
    return this.#open.values();
  }

  sum(count: (hub: TaskHub) => number): number {
    return [...this.#open.values()].reduce((sum, hub) => sum + count(hub), 0);
  }

  /** Throws an RpcError if there is none of that name. */
  named(name: string): TaskHub {
    checkHubName(name);
    if (this.#names?.has(name) === false) {
      const names = [...this.#names].join(", ");
      throw new RpcError("NOT_FOUND", `There is no task hub '${name}' on this emulator, which has ${names || "none"}.`);
    }
    return this.#opened(name);
  }

  /** Makes a hub of that name if there is none; `recreate` empties one that there is. */
  create(name: string, recreate: boolean, answer: Answer): void {
    checkHubName(name);
    this.#context.commits.submit(
      () => {
        this.#context.store.addTaskHub(name);
      },
      (error) => {
        if (error === undefined) this.#names?.add(name);

        if (error === undefined && recreate) this.#opened(name).deleteAll(answer);
        else answer(error);
      },
    );
  }

  /** Deletes a hub with all that is on it, and ends the streams of its workers. */
  delete(hub: TaskHub, answer: Answer): void {
    // Nobody reaches it from here on; what is left of it after a crash goes when it is deleted again.
    this.#names?.delete(hub.name);
    hub.deleteAll((error) => {
      if (error !== undefined) {
        this.#names?.add(hub.name);
        answer(error);
        return;
      }
      // Where any name is a hub it may have been used again meanwhile: it stays as it is, without workers.
      hub.dismissWorkers();
      this.#context.commits.submit(() => {
        if (this.#names?.has(hub.name) !== true) this.#context.store.removeTaskHub(hub.name);
      }, answer);
    });
  }

  /** Takes up what is in flight in the store; what was in memory is forgotten. */
  load(): void {
    const active = this.#context.store.active()[Symbol.iterator]();
    let next = active.next();
    function* activeOf(name: string): Generator<ActiveInstance> {
      for (; next.done !== true && next.value.row.taskHub === name; next = active.next()) yield next.value;
    }
    const detached = Map.groupBy(this.#context.store.detached(), ({ taskHub }) => taskHub);
    const others = new Set([...this.#open.values(), ...Array.from(detached.keys(), (name) => this.#opened(name))]);
    // They come hub by hub, so that there is never a list of all of them.
    while (next.done !== true) {
      const hub = this.#opened(next.value.row.taskHub);
      hub.reload(activeOf(hub.name), detached.get(hub.name) ?? []);
      others.delete(hub);
    }
    for (const hub of others) hub.reload([], detached.get(hub.name) ?? []);
  }

  /** Ends a turn of all hubs; what it returns is for when the turn is on disk. */
  afterCommit(): () => void {
    const publish = Array.from(this.#open.values(), (hub) => hub.afterCommit());
    return () => {
      for (const each of publish) each();
    };
  }

  #opened(name: string): TaskHub {
    let hub = this.#open.get(name);
    if (hub === undefined) {
      hub = new TaskHub(name, this.#context);
      this.#open.set(name, hub);
    }
    return hub;
  }
}

function checkHubName(name: string): void {
  if (name === "")
    throw new RpcError("INVALID_ARGUMENT", "The metadata `taskhub` is empty; it has to name a task hub.");
}
