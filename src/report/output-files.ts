import { realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { UsageError } from "../errors.js";
import { checkFile } from "./json.js";

/** The values of flags such as `--json FILE`, by the name of the flag; true is stdout. */
export type OutputFlags = Readonly<Record<string, string | true | undefined>>;

/** A file that a flag names. */
interface OutputFile {
  readonly flag: string;
  readonly file: string;
}

export function outputFilesOf(flags: OutputFlags): readonly OutputFile[] {
  return Object.entries(flags).flatMap(([name, file]) =>
    typeof file === "string" ? [{ flag: `--${name}`, file }] : [],
  );
}

/**
 * Checks that all files can be written, and that no two of them are the same, because one would replace the other.
 * @throws UsageError that names the flags
 */
export async function checkOutputFiles(outputs: OutputFlags): Promise<void> {
  const flags = new Map<string, string>();
  for (const { flag, file } of outputFilesOf(outputs)) {
    await checkFile(flag, file);
    const place = await placeOf(file);
    if (place === undefined) continue;
    const other = flags.get(place);
    if (other !== undefined) {
      throw new UsageError(
        "conflicting-flags",
        `${other} and ${flag}: expected a file for each, found ${file} for both`,
        { hint: "name another one" },
      );
    }

    flags.set(place, flag);
  }
}

/** The canonical path of a file; undefined for a pipe or a device, which accepts several outputs. */
async function placeOf(file: string): Promise<string | undefined> {
  const found = await stat(file).catch(() => undefined);
  if (found && !found.isFile()) return undefined;
  return found ? realpath(file) : join(await realpath(dirname(file)), basename(file));
}
