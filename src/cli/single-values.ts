import type { Command, Option } from "commander";
import { UsageError } from "../errors.js";

/** Refuses a flag that takes one value and is given twice, for a command and its subcommands: commander takes the last one. */
export function refuseRepeatedValues(command: Command): void {
  for (const option of command.options) if (takesOneValue(option)) refuseSecond(command, option);
  for (const subcommand of command.commands) refuseRepeatedValues(subcommand);
}

/** Repeatable flags have a parser that collects their values. */
function takesOneValue({ required, optional, variadic, parseArg }: Option): boolean {
  return (required || optional) && !variadic && parseArg === undefined;
}

function refuseSecond(command: Command, option: Option): void {
  let isGiven = false;
  command.on(`option:${option.name()}`, () => {
    // Without the values, which may be secrets.
    if (isGiven)
      throw new UsageError(`${option.long}: expected one value, found the flag twice; leave one of them out`);
    isGiven = true;
  });
}
