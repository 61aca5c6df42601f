/**
 * What waiting for more results costs, and what it saves: the emulator as it is beside one that dispatches every episode
 * at once, in turn, each with one warm worker. Prints medians and the ratio pair by pair.
 *
 * - a chain of 200 single activities, where nothing is outstanding and nothing may wait: time per step;
 * - slow, uneven fan-outs (exp:20ms): p50 and p99 of the orchestrations, and the CPU that emulator and worker took;
 * - W1 and W2, which waiting is for: activities per second.
 *
 *     npm run build && node bench/dispatch.ts [--pairs 5]
 */
import path from "node:path";
import { parseArgs } from "node:util";
import { CHAIN, CHAIN_STEPS, W1, W2 } from "#pairs/loads";
import { closePlace, openPlace, runIn, type Run } from "#pairs/place";
import { printPairs, type Figures } from "#pairs/table";

const EMULATOR = path.join(import.meta.dirname, "held-emulator.ts");
const UNEVEN =
  "--activity-duration exp:20ms --iterations 2 --parallel-activities 20 --parallel-orchestrations 20 --total 1000";

interface Measurement {
  readonly name: string;
  readonly flags: readonly string[];
  readonly figures: (run: Run) => Figures;
}

const MEASUREMENTS: readonly Measurement[] = [
  {
    name: `chain of ${CHAIN_STEPS}`,
    flags: CHAIN,
    figures: ({ result }) => ({ "ms/step": (result.latencyMs?.server?.max ?? NaN) / CHAIN_STEPS }),
  },
  {
    name: "uneven, exp:20ms",
    flags: UNEVEN.split(" "),
    figures: ({ result, cpuUs }) => ({
      "p50 ms": result.latencyMs?.server?.p50 ?? NaN,
      "p99 ms": result.latencyMs?.server?.p99 ?? NaN,
      "CPU us/activity": cpuUs,
    }),
  },
  { name: "W1", flags: W1, figures: ({ activitiesPerSecond }) => ({ "activities/s": activitiesPerSecond }) },
  { name: "W2", flags: W2, figures: ({ activitiesPerSecond }) => ({ "activities/s": activitiesPerSecond }) },
];

const { values } = parseArgs({ options: { pairs: { type: "string", default: "5" } } });
const held = await openPlace([process.execPath, EMULATOR]);
const immediate = await openPlace([process.execPath, EMULATOR, "0"]);
try {
  for (const { name, flags, figures } of MEASUREMENTS) {
    await printPairs(name, Number(values.pairs), {
      held: () => figures(runIn(held, flags)),
      immediate: () => figures(runIn(immediate, flags)),
    });
  }
} finally {
  closePlace(held);
  closePlace(immediate);
}
