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

/** When the command is about to run: by then the whole command line is read, and with it whether to print JSON. */
function refuseSecond(command: Command, option: Option): void {
  let times = 0;
  command.on(`option:${option.name()}`, () => (times += 1));
  command.hook("preAction", () => {
    if (times < 2) return;
    // Without the values, which may be secrets.
    throw new UsageError("conflicting-flags", `${option.long}: expected one value, found the flag twice`, {
      hint: "leave one of them out",
    });
  });
}
