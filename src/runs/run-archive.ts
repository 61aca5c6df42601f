import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { formatBytes } from "../format/bytes.js";
import { errorText } from "../format/error-text.js";
import { headIn, recordText, type RecordHead, type RunRecord } from "./run-record.js";

/** Digits of the time in front of the run id, so that names sort by time. */
const TIME_DIGITS = 14;
const RECORD = /^\d{14}-[\w.]+\.jsonl$/u;
const TEMPORARY = /^\.\d{14}-[\w.]+\.jsonl\.[0-9a-f-]{36}$/u;
/** Whoever wrote it has been gone for long. */
const TEMPORARY_LIFE_MS = 3_600_000;
/** The result of a week with a million stalls is none that somebody reads here. */
const LARGEST_BYTES = 50 * 1024 * 1024;

/** A record in the folder. */
export interface Archived {
  readonly file: string;
  readonly bytes: number;
  readonly head: RecordHead;
}

export interface RunArchiveOptions {
  readonly folder: string;
  /** Says what a person should know. */
  readonly say: (line: string) => void;
  /** A record that takes more is not written. */
  readonly largestBytes?: number;
}

/** The runs of a server in a folder on disk, a file each. A file is whole or not there. Nothing here rejects. */
export class RunArchive {
  /** Two writes of one file take place one after the other. */
  readonly #writing = new Map<string, Promise<unknown>>();

  constructor(readonly options: RunArchiveOptions) {}

  /** The newest records, at most so many, the oldest first. Deletes older ones. */
  async load(most: number): Promise<readonly Archived[]> {
    const { folder, say } = this.options;
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const names = await readdir(folder);
      await Promise.all(names.filter((name) => TEMPORARY.test(name)).map((name) => this.#dropIfOld(name)));
      const records = names.filter((name) => RECORD.test(name)).toSorted();
      for (const name of records.slice(0, -most)) await this.drop(name);
      const read = await Promise.all(records.slice(-most).map((name) => this.#headOf(name)));
      const skipped = records.slice(-most).filter((_, index) => read[index] === undefined);
      if (skipped.length > 0)
        say(`warning: not a run, and skipped, in '${folder}': ${skipped.slice(0, 3).join(", ")}${more(skipped)}`);
      return read.filter((archived) => archived !== undefined);
    } catch (error) {
      say(`warning: runs of before cannot be read from '${folder}': ${errorText(error)}`);
      return [];
    }
  }

  /** Resolves with undefined if it could not be written, which it says. */
  async write(record: RunRecord, how: "quietly" | "saying" = "saying"): Promise<Archived | undefined> {
    const file = nameOf(record);
    const before = this.#writing.get(file);
    const written = Promise.resolve(before).then(() => this.#write(file, record, how));
    this.#writing.set(file, written);
    const archived = await written;
    if (this.#writing.get(file) === written) this.#writing.delete(file);
    return archived;
  }

  /** What `parse` finds in a record; undefined if it cannot be read, or is none. */
  async read<T>(file: string, parse: (text: string) => T): Promise<T | undefined> {
    try {
      return parse(await readFile(join(this.options.folder, file), "utf8"));
    } catch {
      return undefined;
    }
  }

  async drop(file: string): Promise<void> {
    await rm(join(this.options.folder, file), { force: true }).catch(() => {});
  }

  async #write(file: string, record: RunRecord, how: "quietly" | "saying"): Promise<Archived | undefined> {
    const { folder, say, largestBytes = LARGEST_BYTES } = this.options;
    const { runId } = record.facts;
    const temporary = join(folder, `.${file}.${randomUUID()}`);
    try {
      const text = Buffer.from(recordText(record));
      if (text.length > largestBytes)
        throw new Error(`it takes ${formatBytes(text.length)}, more than ${formatBytes(largestBytes)}`);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeThrough(temporary, text);
      await rename(temporary, join(folder, file));
      const { update: _update, result, ...head } = record;
      return { file, bytes: text.length, head: { ...head, hasResult: result !== undefined } };
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      const place = `'${folder}', and is kept in memory only`;
      if (how === "saying") say(`warning: run ${runId} could not be written to ${place}: ${errorText(error)}`);
      return undefined;
    }
  }

  async #headOf(file: string): Promise<Archived | undefined> {
    const path = join(this.options.folder, file);
    try {
      const handle = await open(path);
      try {
        const { size } = await handle.stat();
        for await (const line of handle.readLines({ encoding: "utf8" })) {
          const head = headIn(line);
          return nameOf(head) === file ? { file, bytes: size, head } : undefined;
        }
      } finally {
        await handle.close();
      }
    } catch {
      // A file of something else, which `load` tells.
    }
    return undefined;
  }

  async #dropIfOld(name: string): Promise<void> {
    const found = await stat(join(this.options.folder, name)).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > TEMPORARY_LIFE_MS) await this.drop(name);
  }
}

function nameOf({ facts: { created, runId } }: Pick<RecordHead, "facts">): string {
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

function more(names: readonly string[]): string {
  return names.length > 3 ? ` and ${names.length - 3} more` : "";
}
