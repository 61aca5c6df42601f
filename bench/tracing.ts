/**
 * What tracing costs: runs as they are by default beside runs with `--trace-sample 0`, in turn, on one emulator with one warm
 * worker. Prints medians with the least and the greatest, and the ratios pair by pair, traced / untraced.
 *
 *     npm run build && node bench/tracing.ts [W1 W2 W3 chain] [--pairs 15] [--share 100%]
 *
 * `seconds` is the whole run as a user waits for it, the reading of the histories at its end included. `--share` is another
 * sample than the default.
 */
import { parseArgs } from "node:util";
import path from "node:path";
import { CHAIN, W1, W2, W3 } from "#pairs/loads";
import { closePlace, openPlace, runIn } from "#pairs/place";
import { printPairs, type Figures } from "#pairs/table";

/** As it is, with nothing replaced. */
const EMULATOR = path.join(import.meta.dirname, "by-hand/emulator.ts");
const LOADS: Readonly<Record<string, readonly string[]>> = { W1, W2, W3, chain: CHAIN };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { pairs: { type: "string", default: "15" }, share: { type: "string" } },
});
const loads = positionals.length === 0 ? ["W1"] : positionals;
const unknown = loads.find((load) => LOADS[load] === undefined);
if (unknown !== undefined) throw new Error(`Expected loads of ${Object.keys(LOADS).join(", ")}, found "${unknown}".`);

const traced = values.share === undefined ? [] : ["--trace-sample", values.share];
const place = await openPlace([process.execPath, EMULATOR]);
try {
  for (const load of loads) {
    await printPairs(load, Number(values.pairs), {
      traced: () => figures([...LOADS[load]!, ...traced]),
      untraced: () => figures([...LOADS[load]!, "--trace-sample", "0"]),
    });
  }
} finally {
  closePlace(place);
}

function figures(flags: readonly string[]): Figures {
  const beganMs = performance.now();
  const { activitiesPerSecond, cpuUs } = runIn(place, [...flags, "--allow-invalid"]);
  const seconds = (performance.now() - beganMs) / 1_000;
  return { "activities/s": activitiesPerSecond, "CPU us/activity": cpuUs, seconds };
}
