import type { Lease } from "../../../src/emulator/dispatch/leases.js";
import type { HeldItem, ModelWorker } from "./model-worker.js";

/** What is amiss at any time: the hub would take what a worker has of one execution for an answer of another. */
export function mistakenFaults(workers: readonly ModelWorker[]): string[] {
  return workers.flatMap(({ worker, leases, held }) =>
    [...held].flatMap((item) => {
      const lease = [...leases].find(({ token }) => token === item.token);
      return lease === undefined || isOf(lease, item)
        ? []
        : [`${worker.id} has the ${item.kind} of ${item.instanceId} for another execution`];
    }),
  );
}

/** What is amiss where all calls are answered: the hub takes something to be with a worker that has let it go. */
export function lostFaults(workers: readonly ModelWorker[]): string[] {
  return workers.flatMap(({ worker, leases, held }) => {
    const tokens = new Set([...held].map(({ token }) => token));
    const lost = [...leases].filter(({ token }) => !tokens.has(token));
    return lost.map(({ kind, instance }) => `${worker.id} is to have the ${kind} of ${instance.id}, and has it not`);
  });
}

function isOf(lease: Lease, item: HeldItem): boolean {
  const { executionId } = lease.kind === "episode" ? lease.instance : lease;
  return lease.kind === item.kind && lease.instance.id === item.instanceId && executionId === item.executionId;
}
