import type { Command, Option } from "commander";
import { UsageError } from "../errors.js";

/**
 * Refuses a repeated flag that takes one value, for a command and its subcommands. commander would take the last value.
 */
export function refuseRepeatedValues(command: Command): void {
  for (const option of command.options) if (takesOneValue(option)) refuseSecond(command, option);
  for (const subcommand of command.commands) refuseRepeatedValues(subcommand);
}

/** Repeatable flags have a parser that collects their values. */
function takesOneValue({ required, optional, variadic, parseArg }: Option): boolean {
  return (required || optional) && !variadic && parseArg === undefined;
}

/** It throws before the action, when the whole command line is read, including `--json`. */
function refuseSecond(command: Command, option: Option): void {
  let times = 0;
  command.on(`option:${option.name()}`, () => (times += 1));
  command.hook("preAction", () => {
    if (times < 2) return;
    // The values may be secrets, so they are not repeated.
    throw new UsageError("conflicting-flags", `${option.long}: expected one value, found the flag twice`, {
      hint: "leave one of them out",
    });
  });
}
