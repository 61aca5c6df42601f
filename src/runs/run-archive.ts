import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { formatBytes } from "../format/bytes.js";
import { errorText } from "../format/error-text.js";
import type { RunResult } from "../result/run-result.js";
import type { LiveUpdate } from "../live/live-update.js";
import type { RunFacts } from "./listed-run.js";
import type { KeptRecord } from "./kept-record.js";
import { RecentResults } from "./recent-results.js";
import { textInFile, type ResultText } from "./result-text.js";
import {
  headIn,
  recordText,
  resultIn,
  updateIn,
  withoutResult,
  type RecordHead,
  type RunRecord,
} from "./run-record.js";

/** Digits of the time in front of the run id, so that names sort by time. */
const TIME_DIGITS = 14;
const RECORD = /^\d{14}-[\w.]+\.jsonl$/u;
const TEMPORARY = /^\.\d{14}-[\w.]+\.jsonl\.[0-9a-f-]{36}$/u;
/** The result of a week with a million stalls is none that somebody reads here. */
const LARGEST_BYTES = 50 * 1024 * 1024;

/** A record in the folder. */
export interface Archived extends KeptRecord {
  readonly file: string;
}

export interface RunArchiveOptions {
  readonly folder: string;
  /** Says what a person should know. */
  readonly say: (line: string) => void;
  /** A record that takes more is not written. */
  readonly largestBytes?: number;
}

/**
 * The runs of a server in a folder on disk, a file each. A file is whole or not there. The folder is that of one server at a
 * time. Nothing here rejects.
 */
export class RunArchive {
  readonly #results = new RecentResults((file) => this.#readResult(file));

  constructor(readonly options: RunArchiveOptions) {}

  /** All records, the oldest first. */
  async load(): Promise<readonly Archived[]> {
    const { folder, say } = this.options;
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const names = await readdir(folder);
      // Of a server that was killed: this one has not written yet.
      await Promise.all(names.filter((name) => TEMPORARY.test(name)).map((name) => this.#remove(name)));
      const records = names.filter((name) => RECORD.test(name)).toSorted();
      const read = await Promise.all(records.map((name) => this.#headOf(name)));
      const skipped = records.filter((_, index) => read[index] === undefined);
      if (skipped.length > 0)
        say(`warning: not a run, and skipped, in '${folder}': ${skipped.slice(0, 3).join(", ")}${more(skipped)}`);
      return read.filter((archived) => archived !== undefined);
    } catch (error) {
      say(`warning: runs of before cannot be read from '${folder}': ${errorText(error)}`);
      return [];
    }
  }

  /** Writes the record of a run that has begun. Its end says it if the folder cannot be written to. */
  async begin(record: RunRecord): Promise<void> {
    await this.#write(record).catch(() => {});
  }

  /**
   * Writes the record of a run that has ended, once that of its begin is written. If it cannot be written, it says so, and
   * resolves with undefined. The file then has what is known of the run without its result, or is gone: it does not stay that
   * of a run in progress.
   */
  async keep(record: RunRecord): Promise<Archived | undefined> {
    try {
      return await this.#write(record);
    } catch (error) {
      const { folder, say } = this.options;
      const why = errorText(error);
      say(`warning: run ${record.facts.runId} could not be written to '${folder}', and is kept in memory only: ${why}`);
      const lost = record.result && `The server could not keep the result on disk: ${why}`;
      await this.#write(withoutResult(record, lost)).catch(() => this.drop(record.facts));
      return undefined;
    }
  }

  /** Leaves out the result, which may be large. */
  async #readUpdate(file: string): Promise<LiveUpdate | undefined> {
    try {
      const [, line = ""] = await firstLines(join(this.options.folder, file), 2);
      return updateIn(line);
    } catch {
      return undefined;
    }
  }

  async #readResult(file: string): Promise<RunResult | undefined> {
    try {
      return resultIn(await readFile(join(this.options.folder, file), "utf8"), file);
    } catch {
      return undefined;
    }
  }

  async #openResult(file: string, bytes: number): Promise<ResultText | undefined> {
    return textInFile(join(this.options.folder, file), bytes).catch(() => undefined);
  }

  #archived(file: string, bytes: number, head: RecordHead): Archived {
    return {
      file,
      bytes,
      head,
      readUpdate: () => this.#readUpdate(file),
      readResult: () => this.#results.get(file, bytes),
      openResult: () => this.#openResult(file, bytes),
    };
  }

  async drop(run: Named): Promise<void> {
    await this.#remove(nameOf(run));
  }

  async #write(record: RunRecord): Promise<Archived> {
    const { folder, largestBytes = LARGEST_BYTES } = this.options;
    const file = nameOf(record.facts);
    const temporary = join(folder, `.${file}.${randomUUID()}`);
    const text = Buffer.from(recordText(record));
    if (text.length > largestBytes)
      throw new Error(`it takes ${formatBytes(text.length)}, more than ${formatBytes(largestBytes)}`);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeThrough(temporary, text);
      await rename(temporary, join(folder, file));
      await syncFolder(folder);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      throw error;
    }
    const { update: _update, result, ...head } = record;
    return this.#archived(file, text.length, { ...head, hasResult: result !== undefined });
  }

  async #remove(file: string): Promise<void> {
    await rm(join(this.options.folder, file), { force: true }).catch(() => {});
  }

  async #headOf(file: string): Promise<Archived | undefined> {
    const path = join(this.options.folder, file);
    try {
      const [line = ""] = await firstLines(path, 1);
      const head = headIn(line);
      const { size } = await stat(path);
      return nameOf(head.facts) === file ? this.#archived(file, size, head) : undefined;
    } catch {
      // A file of something else, which `load` tells.
    }
    return undefined;
  }
}

async function firstLines(path: string, count: number): Promise<readonly string[]> {
  const handle = await open(path);
  try {
    const lines: string[] = [];
    for await (const line of handle.readLines({ encoding: "utf8" })) if (lines.push(line) === count) break;
    return lines;
  } finally {
    await handle.close();
  }
}

type Named = Pick<RunFacts, "created" | "runId">;

function nameOf({ created, runId }: Named): string {
  return `${created.getTime().toString().padStart(TIME_DIGITS, "0")}-${runId}.jsonl`;
}

/** On the disk when it resolves: after a crash of the machine, a renamed file is not empty. */
async function writeThrough(file: string, text: Buffer): Promise<void> {
  const handle = await open(file, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** So that the new name is on the disk too. Not every system can. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder).catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

function more(names: readonly string[]): string {
  return names.length > 3 ? ` and ${names.length - 3} more` : "";
}
