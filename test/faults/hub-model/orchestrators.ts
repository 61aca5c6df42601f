import rewinding from "@microsoft/durabletask-js/dist/worker/rewind.js";
import { pb } from "../../../src/protocol/sidecar-stubs.js";
import type { Random } from "../random.js";
import { createChild, failed, terminated } from "../../support/emulator/protocol-actions.js";
import { complete, continueAsNew, createTimer, scheduleTask } from "../../support/emulator/raw-connection.js";
import { INSTANCE_IDS } from "./clients.js";
import type { HistoryEvent } from "./scene.js";

type Action = InstanceType<typeof pb.OrchestratorAction>;

/** How far ahead timers are, milliseconds. */
const MOST_TIMER_MS = 300;

/** Orchestrators that ask for anything and end in any way, whatever their history says. */
export class Orchestrators {
  readonly #random: Random;
  #actions = 0;
  /** From here on they ask for nothing more and complete. */
  areWindingUp = false;

  constructor(random: Random) {
    this.#random = random;
  }

  answer(history: readonly HistoryEvent[], newEvents: readonly HistoryEvent[]): Action[] {
    const isTold = newEvents.some((event) => event.hasExecutionrewound());
    if (isTold && history.some((event) => event.hasExecutioncompleted()))
      return rewinding.buildRewindResult([...history], [...newEvents]).actions;

    if (this.areWindingUp) return [complete(this.#nextId(), "end")];

    const actions = Array.from({ length: this.#random.between(0, 2) }, () => this.#request());
    return [...actions, ...this.#end(newEvents.some((event) => event.hasExecutionterminated()))];
  }

  #request(): Action {
    const id = this.#nextId();
    const kind = this.#random.pick(["activity", "activity", "other activity", "timer", "child"]);
    if (kind === "timer") return createTimer(id, Date.now() + this.#random.between(0, MOST_TIMER_MS - 1));

    if (kind === "child") return createChild(id, this.#random.next() < 0.5 ? this.#random.pick(INSTANCE_IDS) : "");

    return scheduleTask(id, kind === "activity" ? "Activity" : "B");
  }

  /** None more often than not. */
  #end(isTerminated: boolean): Action[] {
    const id = this.#nextId();
    const drawn = this.#random.next();
    if (isTerminated) return [terminated(id)];
    if (drawn < 0.15) return [complete(id, "end")];
    if (drawn < 0.3) return [failed(id, new pb.TaskFailureDetails())];
    return drawn < 0.4 ? [continueAsNew(id, "again")] : [];
  }

  #nextId(): number {
    return (this.#actions += 1);
  }
}
