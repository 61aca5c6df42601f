/**
 * What a part of the emulator that is written by hand saves beside what could replace it: the emulator as it is and one
 * with the replacement, in turn, each with one warm worker.
 *
 *     npm run build && node bench/by-hand.ts PART [W1 W2 W3 chain] [--pairs 5] [--slow-commits MS]
 *
 * Prints throughput, the emulator's CPU, and how late its event loop was (99th percentile): medians with the least and the
 * greatest, and the ratios pair by pair, by hand / replaced. A part saves something where the ratio of throughput is above
 * 1, and where the others are under 1. `--slow-commits` adds so much to each fsync of both, as on a slower disk.
 */
import { once } from "node:events";
import path from "node:path";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { CHAIN, W1, W2, W3 } from "#pairs/loads";
import { closePlace, openPlace, runIn, type Command, type Place } from "#pairs/place";
import { printPairs, type Figures } from "#pairs/table";
import { buildSlowCommits, makeCountFile } from "#slow-commits";

interface Part {
  readonly replacedBy: string;
  /** Of workers and runs: the standard wire, where the part is not used without. */
  readonly flags: readonly string[];
}

const HTTP2 = ["--transport", "http2"];
const PARTS: Readonly<Record<string, Part>> = {
  "log-sync": { replacedBy: "PRAGMA synchronous = FULL, a transaction for each turn of the event loop", flags: [] },
  "group-commit": { replacedBy: "PRAGMA synchronous = FULL, a transaction for each call", flags: [] },
  "grpc-server": { replacedBy: "the Server of grpc-js", flags: HTTP2 },
  "history-cache": { replacedBy: "a read of the whole history for each episode", flags: HTTP2 },
};
const LOADS: Readonly<Record<string, readonly string[]>> = {
  W1,
  W2,
  W3,
  chain: CHAIN,
};
const EMULATOR = path.join(import.meta.dirname, "by-hand/emulator.ts");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { pairs: { type: "string", default: "5" }, "slow-commits": { type: "string" } },
});
const [name = "", ...wanted] = positionals;
const part = PARTS[name];
if (part === undefined) throw new Error(`Expected one of ${Object.keys(PARTS).join(", ")}, found "${name}".`);
const loads = wanted.length === 0 ? Object.keys(LOADS) : wanted;
const unknown = loads.find((load) => LOADS[load] === undefined);
if (unknown !== undefined) throw new Error(`Expected loads of ${Object.keys(LOADS).join(", ")}, found "${unknown}".`);

const folder = mkdtempSync(path.join(tmpdir(), "fanout-by-hand-"));
const places: Place[] = [];
try {
  console.log(`${name}, beside ${part.replacedBy}`);
  const byHand = await open([process.execPath, EMULATOR]);
  const replaced = await open([process.execPath, EMULATOR, name]);
  for (const load of loads) {
    await printPairs(load, Number(values.pairs), {
      "by hand": () => figures(byHand, LOADS[load]!),
      replaced: () => figures(replaced, LOADS[load]!),
    });
  }
} finally {
  for (const place of places) closePlace(place);
  rmSync(folder, { recursive: true });
}

async function open(emulator: Command): Promise<Place> {
  const place = await openPlace(slowed(emulator), part!.flags);
  places.push(place);
  return place;
}

/** The command, each fsync of which takes longer if that is asked for. */
function slowed([program, ...args]: Command): Command {
  if (values["slow-commits"] === undefined) return [program, ...args];
  const slow = buildSlowCommits(folder, Number(values["slow-commits"]));
  if (typeof slow === "string") throw new Error(`--slow-commits: ${slow}.`);
  const countFile = path.join(folder, "count");
  makeCountFile(countFile);
  const [command, wrapped] = slow.wrap(countFile, program, args);
  return [command, ...wrapped];
}

async function figures(place: Place, flags: readonly string[]): Promise<Figures> {
  await latenessOf(place);
  const { activitiesPerSecond, emulatorUs } = runIn(place, flags);
  return {
    "activities/s": activitiesPerSecond,
    "CPU us/activity": emulatorUs,
    "loop late, p99 ms": await latenessOf(place),
  };
}

/** Since the last call. */
async function latenessOf({ emulator }: Place): Promise<number> {
  emulator.kill("SIGUSR2");
  const [line] = (await once(emulator.stdout!, "data")) as [Buffer];
  return Number(line.toString());
}
