import { UsageError } from "../errors.js";

const DURABILITIES = ["disk", "process", "ephemeral"] as const;

/**
 * What an acknowledged call survives. `disk`: the process and the power. `process`: the process, as it is committed and
 * nobody waits until the disk has it. `ephemeral`: neither, as it is in memory alone.
 */
export type Durability = (typeof DURABILITIES)[number];

/**
 * What the flag says, else `FANOUT_DURABILITY`, else `disk`.
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
