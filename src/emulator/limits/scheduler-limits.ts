import { MOST_PAYLOAD_BYTES, instanceIdFault } from "./limits.js";
import type { Action, End } from "../../protocol/orchestrator-actions.js";
import { RpcError } from "../../protocol/rpc-error.js";
import { failureDetails } from "../../protocol/messages.js";
import { Status } from "../../protocol/orchestration-status.js";
import { textOf, type StringValueBytes } from "../../protocol/wire.js";

/** Whether what a Scheduler would not take is refused here too, or taken and told of. */
export type LimitsMode = "scheduler" | "none";

/** Those who want to know of the first instance of a hub, by the beginning of its id, that is beyond the limits. */
interface Watch {
  readonly taskHub: string;
  readonly instanceIdPrefix: string;
  first: string | undefined;
  readonly onFirst: () => void;
}

/** What people are told of what was taken. */
function beyondScheduler(fault: string): string {
  return `${fault} on a Scheduler. This emulator takes it; \`fanout emulator --limits scheduler\` would not.`;
}

/** The limits that a Scheduler has for payloads and ids. */
export class SchedulerLimits {
  readonly #mode: LimitsMode;
  readonly #onFirst: (sentence: string) => void;
  readonly #watches = new Set<Watch>();
  #wasTold = false;

  /** `onFirst` is told in a sentence of the first thing beyond the limits that was taken all the same. */
  constructor(mode: LimitsMode, onFirst: (sentence: string) => void) {
    this.#mode = mode;
    this.#onFirst = onFirst;
  }

  /**
   * Follows those of a hub's instances whose ids begin so: `first` is what was taken of them beyond the limits, in a
   * sentence, which `onFirst` tells at once.
   */
  watch(
    taskHub: string,
    instanceIdPrefix: string,
    onFirst: () => void,
  ): { readonly found: Readonly<Watch>; readonly stop: () => void } {
    const found: Watch = { taskHub, instanceIdPrefix, first: undefined, onFirst };
    this.#watches.add(found);
    return { found, stop: () => this.#watches.delete(found) };
  }

  /** The limits for the instances of a hub. */
  ofHub(taskHub: string): HubLimits {
    return new HubLimits((instanceId, fault) => this.#judge(taskHub, instanceId, fault));
  }

  /** The fault, where it is one here. */
  #judge(taskHub: string, instanceId: string, fault: string): string | undefined {
    if (this.#mode === "scheduler") return `${fault}, as on a Scheduler. \`fanout emulator --limits none\` takes it.`;

    const sentence = beyondScheduler(fault);
    for (const watch of this.#watches) {
      if (watch.first === undefined && watch.taskHub === taskHub && instanceId.startsWith(watch.instanceIdPrefix)) {
        watch.first = sentence;
        watch.onFirst();
      }
    }
    if (!this.#wasTold) {
      this.#wasTold = true;
      this.#onFirst(sentence);
    }
    return undefined;
  }
}

/** What is looked at of an episode. */
interface Episode {
  readonly actions: readonly Action[];
  readonly customStatus: StringValueBytes | undefined;
}

export class HubLimits {
  readonly #judge: (instanceId: string, fault: string) => string | undefined;

  /** `judge` returns the fault of an instance where it is one here. */
  constructor(judge: (instanceId: string, fault: string) => string | undefined) {
    this.#judge = judge;
  }

  /** Why an instance cannot have that id; undefined if it can. */
  idFault(instanceId: string): string | undefined {
    const fault = instanceIdFault(instanceId);
    return fault?.isScheduler === true ? this.#judge(instanceId, fault.text) : fault?.text;
  }

  /** What is wrong with a payload of an instance; `what` says which it is. Undefined where it is taken. */
  payloadFault(instanceId: string, what: () => string, payload: StringValueBytes | undefined): string | undefined {
    // The text is never longer than what it is encoded in.
    if (payload === undefined || payload.length <= MOST_PAYLOAD_BYTES) return undefined;

    const bytes = Buffer.byteLength(textOf(payload));
    return bytes <= MOST_PAYLOAD_BYTES
      ? undefined
      : this.#judge(instanceId, `${what()} has ${bytes} bytes: the limit is ${MOST_PAYLOAD_BYTES}`);
  }

  /** @throws RpcError for what a client may not send */
  checkId(instanceId: string): void {
    refuse(this.idFault(instanceId));
  }

  /** @throws RpcError for what a client may not send */
  checkPayload(instanceId: string, what: () => string, payload: StringValueBytes | undefined): void {
    refuse(this.payloadFault(instanceId, what, payload));
  }

  /** What is wrong with what an orchestrator asks for and answers. */
  episodeFault(instanceId: string, { actions, customStatus }: Episode): string | undefined {
    return (
      this.payloadFault(instanceId, () => "The custom status", customStatus) ??
      first(actions, (action) => this.#actionFault(instanceId, action))
    );
  }

  #actionFault(instanceId: string, action: Action): string | undefined {
    switch (action.kind) {
      case "task":
        return this.payloadFault(
          instanceId,
          () => `The input of the activity '${action.task.name}'`,
          action.task.input,
        );
      case "child":
        return this.payloadFault(
          instanceId,
          () => `The input of the sub-orchestration '${action.child.name}'`,
          action.child.input,
        );
      case "signal":
        return this.payloadFault(instanceId, () => `The event '${action.signal.name}'`, action.signal.input);
      case "terminate":
        return this.payloadFault(instanceId, () => "The reason of a termination", action.termination.reason);
      case "end":
        return this.payloadFault(instanceId, () => whatOf(action.end), action.end.result);
      default:
        return undefined;
    }
  }
}

/** `TaskFailureDetails` of an activity or an orchestration: another try would have the same outcome. */
export function limitFailure(fault: string): Uint8Array {
  return failureDetails("PayloadTooLarge", fault, true);
}

function whatOf({ status }: End): string {
  return status === Status.ContinuedAsNew ? "The input of the next execution" : "The output of the orchestration";
}

function refuse(fault: string | undefined): void {
  if (fault !== undefined) throw new RpcError("INVALID_ARGUMENT", fault);
}

function first<T>(all: readonly T[], faultOf: (each: T) => string | undefined): string | undefined {
  for (const each of all) {
    const fault = faultOf(each);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
