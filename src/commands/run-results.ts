import { ExitCode } from "../exit-codes.js";
import type { LoadTestOutcome } from "../load/load-test.js";
import { styleFor } from "../report/text-style.js";
import { comparisonMarkdown } from "../report/comparison-markdown.js";
import { comparisonText } from "../report/comparison-text.js";
import { resultJson, resultsJson, writeFileWhole } from "../report/json.js";
import { resultMarkdown } from "../report/markdown.js";
import type { OutputStream } from "../report/output-stream.js";
import { repeatsText } from "../report/repeats-text.js";
import { writeNumberedFiles, writeReportFiles } from "../report/report-files.js";
import { appendStepSummary } from "../report/step-summary.js";
import { summaryText } from "../report/text.js";
import type { Comparison, RunResult } from "../result/run-result.js";
import { exitCodeOf } from "./comparison-output.js";
import type { CommandIo } from "./io.js";
import type { RunCall } from "./run-call.js";

/** Where results go, and how many there are to be. */
type ResultOutputs = Pick<RunCall, "json" | "html" | "markdown" | "junit" | "csv" | "text" | "repeat">;

/** The results of one call of `fanout run`. Each one is printed at once, and the files hold all of them. */
export class RunResults {
  readonly #call: ResultOutputs;
  readonly #io: CommandIo;
  readonly #results: RunResult[] = [];

  constructor(call: ResultOutputs, io: CommandIo) {
    this.#call = call;
    this.#io = io;
  }

  get all(): readonly RunResult[] {
    return this.#results;
  }

  /** Prints the summary before it writes a file: a full disk costs the file, not the figures. */
  async add({ result, gaveUp }: LoadTestOutcome): Promise<void> {
    this.#results.push(result);
    if (gaveUp !== undefined) this.#io.stderr.write(`error: ${gaveUp}\n`);
    this.#print(summaryText(result, styleFor(this.#forPeople)));
    await this.#appendStepSummary(resultMarkdown(result));
    await this.#writeFiles();
    if (this.#call.repeat > 1) await writeNumberedFiles(this.#call, result, this.#results.length);
  }

  /** Prints the summary of several runs after the last of them. */
  showSpread(): void {
    if (this.#results.length > 1) this.#print(`\n${repeatsText(this.#results, styleFor(this.#forPeople))}`);
  }

  /** Adds the comparison with the baseline to the last result, and so to every form of it. */
  async addComparison(comparison: Comparison): Promise<ExitCode> {
    const last = this.#results.pop();
    if (last === undefined) return ExitCode.Success;
    this.#results.push({ ...last, comparison });
    this.#print(`\n${comparisonText(comparison, styleFor(this.#forPeople))}`);
    await this.#appendStepSummary(`${comparisonMarkdown(comparison)}\n`);
    await this.#writeFiles();
    return exitCodeOf([comparison]);
  }

  /** Prints the JSON of `--json` without a file, also after an interruption. */
  end(): void {
    if (this.#call.json === true && this.#results.length > 0) this.#io.stdout.write(this.#document());
  }

  async #writeFiles(): Promise<void> {
    const [first, ...more] = this.#results;
    if (first === undefined) return;
    const { json } = this.#call;
    if (typeof json === "string") await writeFileWhole("--json", json, this.#document());
    await writeReportFiles(this.#call, [first, ...more]);
  }

  #document(): string {
    const [first] = this.#results;
    return this.#call.repeat === 1 && first ? resultJson(first) : resultsJson(this.#results);
  }

  async #appendStepSummary(markdown: string): Promise<void> {
    await appendStepSummary(markdown, process.env["GITHUB_STEP_SUMMARY"], (line) => this.#io.stderr.write(`${line}\n`));
  }

  #print(text: string): void {
    this.#forPeople.write(`${text}\n`);
  }

  get #forPeople(): OutputStream {
    return this.#call.json === true ? this.#io.stderr : this.#io.stdout;
  }
}
