import { UsageError } from "../errors.js";

const DURABILITIES = ["disk", "process", "ephemeral"] as const;

/**
 * What an acknowledged call survives.
 * - `disk`: the end of the process, and a power failure.
 * - `process`: the end of the process. It is committed, but nobody waits for the disk.
 * - `ephemeral`: neither, because it is only in memory.
 */
export type Durability = (typeof DURABILITIES)[number];

/**
 * The flag, else `FANOUT_DURABILITY`, else `disk`.
 * @throws UsageError that names the flag or the variable, and what was found
 */
export function chosenDurability(flag: string | undefined, env: NodeJS.ProcessEnv = process.env): Durability {
  return flag === undefined
    ? parseDurability("FANOUT_DURABILITY", env["FANOUT_DURABILITY"] || "disk")
    : parseDurability("--durability", flag);
}

function parseDurability(source: string, text: string): Durability {
  const durability = DURABILITIES.find((known) => known === text);
  if (durability === undefined)
    throw new UsageError("invalid-value", `${source}: expected one of ${DURABILITIES.join(", ")}, found "${text}"`);

  return durability;
}
