import type { DispatchedInstance } from "./dispatched-instance.js";
import type { Instance } from "../instance/instance.js";
import type { Lease, LeaseTable } from "./leases.js";

/** What workers hold while a hub is read from its store again: it stays theirs, for what their instances are then. */
export class HeldLeases {
  readonly #table: LeaseTable;
  readonly #left: Set<Lease>;
  readonly #byInstanceId: ReadonlyMap<string, readonly Lease[]>;

  constructor(table: LeaseTable) {
    this.#table = table;
    this.#left = new Set(table.takeAll());
    this.#byInstanceId = Map.groupBy(this.#left, ({ instance }) => instance.id);
  }

  /** Returns the outstanding activities of the instance that no worker has. */
  resume(instance: DispatchedInstance): Set<number> {
    const ready = new Set(instance.state.tasks.keys());
    for (const lease of this.#of(instance).filter((each) => isSame(each.instance, instance))) {
      if (lease.kind === "episode") {
        instance.dispatch.resumeLease();
        this.#grant(lease, instance);
      } else if (lease.executionId === instance.executionId && ready.delete(lease.taskId)) {
        this.#grant(lease, instance);
      }
    }
    return ready;
  }

  /** Whether a worker has that activity, which nobody waits for. */
  resumeDetached(instance: DispatchedInstance, executionId: string, taskId: number): boolean {
    const lease = this.#of(instance).find(
      (each) => each.kind === "activity" && each.executionId === executionId && each.taskId === taskId,
    );
    if (lease !== undefined) this.#grant(lease, instance);

    return lease !== undefined;
  }

  /** The instances of all other leases have ended. Their workers keep them all the same. */
  keepRest(): void {
    for (const lease of this.#left) this.#table.grant(lease);
  }

  #of({ id }: Instance): readonly Lease[] {
    return this.#byInstanceId.get(id)?.filter((lease) => this.#left.has(lease)) ?? [];
  }

  #grant(lease: Lease, instance: DispatchedInstance): void {
    this.#left.delete(lease);
    this.#table.grant({ ...lease, instance });
  }
}

/** The id does not tell, as an instance may have been replaced; nor does the key alone, which is then given again. */
function isSame(one: Instance, other: Instance): boolean {
  return one.key === other.key && one.createdUs === other.createdUs;
}
