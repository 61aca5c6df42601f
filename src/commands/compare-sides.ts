import { ExitCode, firstOf } from "../exit-codes.js";
import { plural } from "../format/count.js";
import { Interruption } from "./interruption.js";
import { comparisonsOf, type ComparedSides } from "../report/compared-sides.js";
import { figureValueText } from "../report/comparison-rows.js";
import { prettyJson, writeFileWhole } from "../report/json.js";
import { SideRunner, type SideRun } from "../sides/side-runner.js";
import { parseSides, type Side, type SideTexts } from "../sides/side.js";
import { turnsOf } from "../sides/turns.js";
import { figuresOf, type ComparisonOptions } from "../stats/comparison.js";
import { figureOf } from "../result/figure.js";
import type { RunResult } from "../result/run-result.js";
import { exitCodeOf, showComparisons, type ComparisonOutput } from "./comparison-output.js";
import type { CommandIo } from "./io.js";
import { noticeOn } from "./notice.js";

/** The flags of `fanout compare --run ... --run ...`, validated. */
export interface SidesCall {
  readonly texts: SideTexts;
  readonly repeat: number;
  readonly options: ComparisonOptions;
  readonly output: ComparisonOutput;
}

/** Measures sides in turn on this machine, and compares each with the first. */
export async function compareSides({ texts, repeat, options, output }: SidesCall, io: CommandIo): Promise<ExitCode> {
  const sides = parseSides(texts, process.env);
  const say = noticeOn(io.stderr);
  const interruption = new Interruption();
  const runner = await SideRunner.open(sides);
  try {
    for (const side of sides) {
      say(`${side.name}: ${side.text}`);
      await runner.check(side);
    }
    const measured = new MeasuredSides(sides, options, output);
    const ended = await measureInTurn({ sides, repeat, runner, interruption, measured, say });
    const { comparisons } = measured.document;
    if (comparisons.length === 0) say("nothing to compare: a side has no run");
    // Finished runs are compared even if others are missing.
    if (comparisons.length > 0 || output.json === true)
      await showComparisons(comparisons, measured.document, output, io);

    return interruption.exitCode ?? firstOf([ended, exitCodeOf(comparisons)]);
  } finally {
    await runner.close();
    interruption[Symbol.dispose]();
  }
}

/** The results of each side so far. The file of `--json` has them too. */
class MeasuredSides {
  readonly #results: ReadonlyMap<Side, RunResult[]>;
  readonly #options: ComparisonOptions;
  readonly #output: ComparisonOutput;

  constructor(sides: readonly Side[], options: ComparisonOptions, output: ComparisonOutput) {
    this.#results = new Map(sides.map((side) => [side, []]));
    this.#options = options;
    this.#output = output;
  }

  get document(): ComparedSides {
    const sides = [...this.#results].map(([{ name, text }, results]) => ({ name, command: text, results }));
    return { schemaVersion: 1, sides, comparisons: comparisonsOf(sides, this.#options) };
  }

  /** A finished run is never lost, whatever happens to the others. */
  async add(side: Side, result: RunResult): Promise<void> {
    this.#results.get(side)?.push(result);
    const { json } = this.#output;
    if (typeof json === "string") await writeFileWhole("--json", json, `${prettyJson(this.document)}\n`);
  }
}

interface Measuring {
  readonly sides: readonly Side[];
  readonly repeat: number;
  readonly runner: SideRunner;
  readonly interruption: Interruption;
  readonly measured: MeasuredSides;
  readonly say: (line: string) => void;
}

/** Ends when all are measured, when one fails, or at a signal. */
async function measureInTurn(measuring: Measuring): Promise<ExitCode> {
  const { sides, repeat, runner, interruption, measured, say } = measuring;
  const { signal } = interruption;
  const passOn = () => (interruption.exitCode === ExitCode.Interrupted ? "SIGINT" : "SIGTERM");
  const turns = turnsOf(sides.length, repeat);
  let code: ExitCode = ExitCode.Success;
  for (const [index, turn] of turns.entries()) {
    if (signal.aborted) return code;
    const side = sides[turn]!;
    const place = `run ${index + 1} of ${turns.length} (${side.name})`;
    say(`\n${place}`);
    const run = await runner.measure(side, { signal, passOn });
    if (signal.aborted) {
      say(`interrupted in ${place}: ${plural(index, "run")} measured`);
      return code;
    }
    if (run.result) await measured.add(side, run.result);
    if (run.failure !== undefined) {
      say(`error: ${place}: ${run.failure.text}`);
      return run.failure.exitCode;
    }
    say(`${side.name}: ${figuresText(run)}`);
    if (run.thresholdMissed) code = ExitCode.ThresholdMissed;
  }
  return code;
}

function figuresText({ result }: SideRun): string {
  if (!result) return "";
  const figures = figuresOf([result]).flatMap((figure) => {
    const value = figureOf(figure)?.read(result);
    return value === undefined ? [] : [`${figure} ${figureValueText(figure, value)}`];
  });
  const invalid = result.verdict?.status === "invalid" ? ["its figures are invalid"] : [];
  return [...figures, ...invalid].join(", ");
}
