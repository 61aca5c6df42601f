import { existsSync } from "node:fs";
import { appendFile, mkdir, readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { FanoutError, UsageError } from "../errors.js";
import { errorText } from "../format/error-text.js";
import { checkedBy, documentIn } from "../result/result-document.js";
import { soakInterval, soakSchema, type Soak, type SoakInterval } from "../result/soak-schema.js";

const SOAK = "soak.json";
const LOCK = "soak.lock";
const INTERVALS = "intervals.ndjson";

/** Writes `text` to `file` so that it never holds a part of it. Throws FanoutError, which names the flag. */
export type WriteWhole = (flag: string, file: string, text: string) => Promise<void>;

/** Takes a lock that ends with this process. Undefined if another process holds it. Rejects if nobody can. */
export type TakeLock = (file: string) => Promise<Disposable | undefined>;

/** The files of a soak. */
export class SoakFolder implements Disposable {
  #isAppended = false;
  #lock: Disposable | undefined;

  constructor(
    readonly folder: string,
    readonly writeWhole: WriteWhole,
    readonly takeLock: TakeLock,
  ) {}

  /**
   * Makes the folder of a new soak.
   * @throws UsageError if it cannot be made, or has files
   */
  async create(): Promise<void> {
    const found = await mkdir(this.folder, { recursive: true })
      .then(() => readdir(this.folder))
      .catch((error: unknown) => {
        throw unusable(this.folder, errorText(error), error);
      });
    if (found.length > 0) {
      throw new UsageError("unwritable-file", `--dir: expected a new or empty folder, found files in ${this.folder}`, {
        hint: `to go on with a soak that ended early: fanout soak --resume ${this.folder}`,
      });
    }
  }

  /**
   * Makes the soak that of this process alone, until its end or `dispose`. Returns false if it is that of another one.
   * @throws UsageError if the folder cannot be written to
   */
  async lock(): Promise<boolean> {
    this.#lock ??= await this.takeLock(this.#path(LOCK)).catch((error: unknown) => {
      throw unusable(this.folder, errorText(error), error);
    });
    return this.#lock !== undefined;
  }

  [Symbol.dispose](): void {
    this.#lock?.[Symbol.dispose]();
    this.#lock = undefined;
  }

  /** @throws UsageError if there is no soak, or a broken one */
  async read(): Promise<Soak> {
    const file = this.#path(SOAK);
    if (!existsSync(file)) {
      throw new UsageError(
        "invalid-file",
        `--resume: expected the folder of a soak, found no ${SOAK} in ${this.folder}`,
      );
    }
    const { value } = await documentIn(file);
    return checkedBy(soakSchema, value, file);
  }

  /** @throws FanoutError */
  async write(soak: Soak): Promise<void> {
    await this.writeWhole("--dir", this.#path(SOAK), `${JSON.stringify(soak, undefined, 2)}\n`);
  }

  /** @throws FanoutError */
  async writeFile(name: string, text: string): Promise<void> {
    await this.writeWhole("--dir", this.#path(name), text);
  }

  /** @throws FanoutError */
  async append(interval: SoakInterval): Promise<void> {
    try {
      // A killed process may have left a part of a line, which must not take this one along.
      await appendFile(this.#path(INTERVALS), `${this.#isAppended ? "" : "\n"}${JSON.stringify(interval)}\n`);
      this.#isAppended = true;
    } catch (error) {
      const message = `--dir: the checkpoint could not be written to ${this.folder}: ${errorText(error)}`;
      throw new FanoutError("unwritable-file", message, { cause: error });
    }
  }

  /**
   * The last whole checkpoint of each leg. A killed process may leave a part of a line.
   * @throws UsageError if the checkpoints cannot be read: the load that was made would be made again
   */
  async lastOfLegs(): Promise<ReadonlyMap<number, SoakInterval>> {
    const file = this.#path(INTERVALS);
    // Only a soak that was killed before its first checkpoint has none.
    const text = existsSync(file)
      ? await readFile(file, "utf8").catch((error: unknown) => unreadable(file, error))
      : "";
    const last = new Map<number, SoakInterval>();
    for (const line of text.split("\n")) {
      const interval = parsed(line);
      if (interval) last.set(interval.leg, interval);
    }
    return last;
  }

  #path(name: string): string {
    return path.join(this.folder, name);
  }
}

function parsed(line: string): SoakInterval | undefined {
  try {
    return soakInterval.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function unreadable(file: string, error: unknown): never {
  throw new UsageError("invalid-file", `--resume: the checkpoints in ${file} cannot be read: ${errorText(error)}`, {
    cause: error,
  });
}

function unusable(folder: string, why: string, cause: unknown): UsageError {
  return new UsageError("unwritable-file", `--dir: expected a folder that can be written, found ${folder}: ${why}`, {
    cause,
  });
}
