/**
 * What tracing costs: runs as they are by default (`default`) and with all orchestrations traced (`all`), each beside a run with
 * `--trace-sample 0`, in turn, on one emulator with one warm worker. CPU is that of emulator and worker; they serve the reading
 * of the histories at the end of a run too.
 *
 *     npm run build && node bench/tracing.ts [W1 W2 W3 chain] [--rounds 30]
 *
 * Prints for each figure the ratio to the runs without tracing, with its 95 % interval: the mean of the logarithms of the
 * ratios, round by round, and Student's t. What tracing costs grows with the number of traced orchestrations. So the cost of
 * `all` times the default share is the cost of `default` too, and more precise by the inverse of that share.
 */
import { parseArgs } from "node:util";
import path from "node:path";
import { CHAIN, W1, W2, W3 } from "#pairs/loads";
import { closePlace, openPlace, runIn } from "#pairs/place";
import { studentTQuantile } from "../dist/stats/student-t.js";

/** As it is, with nothing replaced. */
const EMULATOR = path.join(import.meta.dirname, "by-hand/emulator.ts");
const LOADS: Readonly<Record<string, readonly string[]>> = { W1, W2, W3, chain: CHAIN };
const CONFIDENCE = 0.95;
const FIGURES = ["CPU us/activity", "of the emulator", "of the worker", "us/activity", "seconds"] as const;

const SIDES = { untraced: ["--trace-sample", "0"], default: [], all: ["--trace-sample", "1"] } as const;
type SideName = keyof typeof SIDES;
const NAMES = Object.keys(SIDES) as SideName[];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "30" } },
});
const loads = positionals.length === 0 ? ["W1"] : positionals;
const unknown = loads.find((load) => LOADS[load] === undefined);
if (unknown !== undefined) throw new Error(`Expected loads of ${Object.keys(LOADS).join(", ")}, found "${unknown}".`);

const place = await openPlace([process.execPath, EMULATOR]);
try {
  for (const load of loads) compare(load, Number(values.rounds));
} finally {
  closePlace(place);
}

type Figures = Readonly<Record<(typeof FIGURES)[number] | "traced", number>>;

function compare(load: string, count: number): void {
  const rounds = Array.from({ length: count + 1 }, (_, number) => roundOf(LOADS[load]!, number)).slice(1);
  const share = mean(rounds.map((each) => each.default.traced / each.all.traced));
  for (const figure of FIGURES) {
    const untraced = mean(rounds.map((each) => each.untraced[figure]));
    const ratios = (side: SideName): readonly number[] =>
      rounds.map((each) => Math.log(each[side][figure] / each.untraced[figure]));
    const texts = [
      `untraced ${untraced.toPrecision(3)}`,
      `default ${costText(ratios("default"))}`,
      `all ${costText(ratios("all"))}`,
      `of which ${(100 * share).toFixed(0)} % ${costText(ratios("all"), share)}`,
    ];
    console.log(`${load.padEnd(6)} ${figure.padEnd(16)} ${texts.join("   ")}`);
  }
}

/** One run of each side; each begins in turn. */
function roundOf(load: readonly string[], number: number): Readonly<Record<SideName, Figures>> {
  const order = NAMES.map((_, index) => NAMES[(index + number) % NAMES.length]!);
  const measured = order.map((name) => [name, figuresOf([...load, ...SIDES[name]])] as const);
  return Object.fromEntries(measured) as Record<SideName, Figures>;
}

function figuresOf(flags: readonly string[]): Figures {
  const beganMs = performance.now();
  const { result, activitiesPerSecond, cpuUs, emulatorUs } = runIn(place, [...flags, "--allow-invalid"]);
  return {
    "CPU us/activity": cpuUs,
    "of the emulator": emulatorUs,
    "of the worker": cpuUs - emulatorUs,
    "us/activity": 1e6 / activitiesPerSecond,
    seconds: (performance.now() - beganMs) / 1_000,
    traced: result.breakdown?.orchestrations.traced ?? 0,
  };
}

/** How much more it is than without tracing, of logarithms of ratios; `share` of it. */
function costText(logarithms: readonly number[], share = 1): string {
  const middle = mean(logarithms);
  const squares = logarithms.reduce((sum, one) => sum + (one - middle) ** 2, 0);
  const error = Math.sqrt(squares / (logarithms.length - 1) / logarithms.length);
  const halfWidth = error * studentTQuantile((1 + CONFIDENCE) / 2, logarithms.length - 1);
  const [least, cost, most] = [middle - halfWidth, middle, middle + halfWidth].map(
    (one) => `${(100 * share * (Math.exp(one) - 1)).toFixed(2)} %`,
  ) as [string, string, string];
  return `${cost} (${least} to ${most})`;
}

function mean(list: readonly number[]): number {
  return list.reduce((sum, one) => sum + one, 0) / list.length;
}
