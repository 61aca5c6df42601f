import { UsageError } from "../errors.js";
import type { Flags } from "../plan/plan-file.js";
import type { PlanKey } from "../plan/plan-file-keys.js";

export type { PlanKey } from "../plan/plan-file-keys.js";

/** The command line of `fanout run`. */
export interface RunCommandLine {
  /** With the defaults of those that were not given. */
  readonly flags: Flags;
  readonly given: ReadonlySet<string>;
  /** What a plan file may have. */
  readonly keys: readonly PlanKey[];
}

/** The flags of a run: those of its command line, else those of its plan file, else the defaults. */
export interface RunFlags {
  readonly flags: Flags;
  /** Without the defaults. */
  readonly given: Flags;
  readonly keys: readonly PlanKey[];
}

/**
 * Calls `act` with the flags of a run.
 * @throws UsageError that names the line of the plan file if the wrong value is from there
 */
export async function withRunFlags<T>(line: RunCommandLine, act: (flags: RunFlags) => Promise<T>): Promise<T> {
  const { keys } = line;
  const fromLine = Object.fromEntries(Object.entries(line.flags).filter(([name]) => line.given.has(name)));
  const file = fromLine["plan"];
  if (typeof file !== "string") return act({ flags: line.flags, given: fromLine, keys });

  // The parser is as large as the rest of a refused call.
  const { readPlanFile } = await import("../plan/plan-file.js");
  const plan = readPlanFile(file, keys);
  try {
    return await act({
      flags: { ...line.flags, ...plan.flags, ...fromLine },
      given: { ...plan.flags, ...fromLine },
      keys,
    });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw atPlace(error, (name) => (line.given.has(name) ? undefined : plan.placeOf(name)));
  }
}

/** The error, and those that were found with it, with the place of a value that is not from the command line. */
function atPlace(error: UsageError, placeOf: (name: string) => string | undefined): UsageError {
  const { code, problem, hint, more } = error;
  const [, flag = "", rest = ""] = /^--([a-z-]+(?:\.\d+)?(?:\.[a-z-]+)?)(.*)$/su.exec(problem) ?? [];
  const path = flag.replaceAll(/-(\w)/gu, (_, letter: string) => letter.toUpperCase());
  const [name, entry, field] = path.split(".");
  const place = placeOf(path) ?? placeOf(`${name}.${entry}`) ?? placeOf(name!);
  const options = { hint, cause: error };
  const first = new UsageError(code, place === undefined ? problem : `${place}: ${field ?? name}${rest}`, options);
  if (more.length === 0) return first;
  return UsageError.all([
    first,
    ...more.filter((other) => other instanceof UsageError).map((other) => atPlace(other, placeOf)),
  ]);
}
