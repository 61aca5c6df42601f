import type { Engine } from "#engine";
import { DURABLETASK_GO, EMULATOR_BEHIND_TLS, fanoutEngine } from "#fanout-engine";
import { peerEngine } from "#peer-engine";
import { postgresMissing, startPostgres } from "#postgres-server";
import { redisMissing, startRedis } from "#redis-server";
import { restateMissing, startRestateServer } from "#restate-server";
import { startTemporalServer, temporalMissing } from "#temporal-server";
import type { Workload } from "#workloads";

/** Of 4, 8 and 24 (its default) the one that took the least CPU for W1 on two cores. */
export const RESTATE_PARTITIONS = 2;

/** The SDK's in-memory backend refuses the next event beyond so many of one orchestration. */
const MOST_EVENTS_IN_MEMORY = 10_000;

export function allEngines({ restatePartitions }: { readonly restatePartitions: number }): readonly Engine[] {
  const restate = {
    durability: "RocksDB log, fsync (default)",
    durable: true,
    module: "restate.ts",
    packages: ["@restatedev/restate-server", "@restatedev/restate-sdk"],
    serverMissing: restateMissing,
    startServer: (place: Parameters<typeof startRestateServer>[0]) => startRestateServer(place, restatePartitions),
    settings: `${restatePartitions} partitions`,
  };
  const dbos = {
    durability: "PostgreSQL, fsync=on, synchronous_commit=on (default)",
    durable: true,
    module: "dbos.ts",
    packages: ["@dbos-inc/dbos-sdk"],
    serverMissing: postgresMissing,
    startServer: startPostgres,
  };
  return [
    fanoutEngine({ name: "fanout", workers: 2 }),
    fanoutEngine({ name: "fanout-http2", workers: 2, transport: "http2" }),
    fanoutEngine({ name: "fanout-tls", workers: 2, backend: EMULATOR_BEHIND_TLS }),
    fanoutEngine({ name: "durabletask-go", workers: 2, backend: DURABLETASK_GO }),
    fanoutEngine({ name: "fanout-replay", workers: 2, replay: "always" }),
    fanoutEngine({ name: "fanout-1worker", workers: 1 }),
    peerEngine({ name: "restate", variant: "dispatched", ...restate }),
    peerEngine({ name: "restate-steps", variant: "steps", ...restate }),
    peerEngine({ name: "dbos", variant: "steps", ...dbos }),
    peerEngine({ name: "dbos-child", variant: "child", ...dbos }),
    peerEngine({
      name: "bullmq",
      durability: "Redis, append-only file with fsync always; no replay",
      durable: true,
      module: "bullmq.ts",
      packages: ["bullmq", "ioredis"],
      serverMissing: redisMissing,
      startServer: startRedis,
    }),
    peerEngine({
      name: "temporal",
      durability: "SQLite of its development server",
      durable: true,
      module: "temporal.ts",
      packages: ["@temporalio/worker"],
      serverMissing: temporalMissing,
      startServer: startTemporalServer,
    }),
    peerEngine({
      name: "sdk-in-memory",
      durability: "none: memory of one process, no wire",
      durable: false,
      module: "in-memory.ts",
      packages: ["@microsoft/durabletask-js"],
      cannot: tooLongForMemory,
    }),
  ];
}

/** Those of the names, in the order of the table; throws where a name is none. */
export function enginesNamed(engines: readonly Engine[], names: readonly string[]): readonly Engine[] {
  const unknown = names.find((name) => engines.every((engine) => engine.name !== name));
  if (unknown !== undefined)
    throw new Error(`Expected engines of ${engines.map(({ name }) => name).join(", ")}, found "${unknown}"`);

  return engines.filter(({ name }) => names.includes(name));
}

function tooLongForMemory({ iterations, activities }: Workload): string | undefined {
  // An activity is scheduled and completed.
  const events = 2 * iterations * activities;
  if (events < MOST_EVENTS_IN_MEMORY) return undefined;
  return `its histories end at ${MOST_EVENTS_IN_MEMORY} events, and an orchestration of this has ${events}`;
}
