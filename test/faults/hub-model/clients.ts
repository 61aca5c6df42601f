import type { RpcCode } from "../../../src/protocol/rpc-error.js";
import { Status } from "../../../src/protocol/orchestration-status.js";
import type { Random } from "../random.js";
import type { Calls } from "./calls.js";
import type { Scene } from "./scene.js";

/** Few enough that starts, sub-orchestrations and commands meet at the same ones. */
export const INSTANCE_IDS = ["a", "b", "c", "d"] as const;

/** Of a start with a policy: whatever is there of that id makes room. */
const ANY_STATUS = [
  Status.Running,
  Status.Completed,
  Status.Failed,
  Status.Terminated,
  Status.Pending,
  Status.Suspended,
];

/** How far ahead a start may be, milliseconds. */
const AHEAD_MS = 500;

const MAY_BE_GONE: readonly RpcCode[] = ["NOT_FOUND"];
const MAY_BE_UNFIT: readonly RpcCode[] = ["NOT_FOUND", "FAILED_PRECONDITION"];

/** Clients of the hub, who know nothing of what they ask about. */
export class Clients {
  readonly #scene: Scene;
  readonly #calls: Calls;
  readonly #random: Random;
  #executions = 0;

  constructor(scene: Scene, calls: Calls, random: Random) {
    this.#scene = scene;
    this.#calls = calls;
    this.#random = random;
  }

  start(): void {
    const instanceId = this.#anyId();
    const isInPlace = this.#random.next() < 0.3;
    this.#scene.hub.clients.start(
      {
        instanceId,
        executionId: this.#random.next() < 0.2 ? this.#chosenExecutionId() : undefined,
        name: "O",
        version: undefined,
        input: undefined,
        scheduledStartUs: this.#random.next() < 0.1 ? (Date.now() + AHEAD_MS) * 1_000 : 0,
        traceContext: undefined,
        tags: [],
      },
      { statuses: isInPlace ? ANY_STATUS : [], action: "replace" },
      isInPlace
        ? this.#calls.ask("start in its place", instanceId, [])
        : this.#calls.ask("start", instanceId, ["ALREADY_EXISTS"]),
    );
  }

  terminate(): void {
    const id = this.#anyId();
    const recurse = this.#random.next() < 0.5;
    this.#scene.hub.clients.terminate(id, undefined, recurse, this.#calls.ask("terminate", id, MAY_BE_GONE));
  }

  suspend(): void {
    const id = this.#anyId();
    this.#scene.hub.clients.suspend(id, undefined, this.#calls.ask("suspend", id, MAY_BE_GONE));
  }

  resume(id: string = this.#anyId()): void {
    this.#scene.hub.clients.resume(id, undefined, this.#calls.ask("resume", id, MAY_BE_GONE));
  }

  raiseEvent(id: string = this.#anyId()): void {
    const signal = { name: "e", input: undefined };
    this.#scene.hub.clients.raiseEvent(id, signal, this.#calls.ask("raise event", id, MAY_BE_GONE));
  }

  rewind(): void {
    const id = this.#anyId();
    this.#scene.hub.clients.rewind(id, undefined, this.#calls.ask("rewind", id, MAY_BE_UNFIT));
  }

  restart(): void {
    const id = this.#anyId();
    this.#scene.hub.clients.restart(id, false, this.#calls.ask("restart", id, MAY_BE_UNFIT));
  }

  endAtOnce(): void {
    const id = this.#anyId();
    this.#scene.hub.clients.endAtOnce([id], undefined, this.#calls.ask("end at once", id, []));
  }

  purge(): void {
    const id = this.#anyId();
    this.#scene.hub.purge.byIds([id], this.#random.next() < 0.5, this.#calls.ask("purge", id, []));
  }

  deleteAll(): void {
    this.#scene.hub.deleteAll(this.#calls.ask("delete all", "", []));
  }

  /** Another one each time: it is what a worker knows a history by. */
  #chosenExecutionId(): string {
    return `chosen-${(this.#executions += 1)}`;
  }

  #anyId(): string {
    return this.#random.pick(INSTANCE_IDS);
  }
}
