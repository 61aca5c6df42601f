import type { Command, Option } from "commander";
import type { PlanKey } from "../commands/run-flags.js";

const NOT_IN_A_PLAN = ["plan", "printPlan"];

/** A command line has no room for it: each orchestration has fields of its own. */
const ONLY_IN_A_PLAN: PlanKey = {
  name: "orchestrations",
  kind: "mix",
  group: "What an orchestration does",
  description: "orchestrations to mix by their weights, in place of orchestrator; your own workers have to host them",
};

/** The flags of `fanout run`, as keys of a plan file. */
export function planKeysOf(run: Command): readonly PlanKey[] {
  const ofFlags = run.options
    .filter((option) => !NOT_IN_A_PLAN.includes(option.attributeName()))
    .map((option) => ({
      name: option.attributeName(),
      kind: kindOf(option),
      description: option.description,
      group: (option.helpGroupHeading ?? "Options:").replace(/:$/u, ""),
      placeholder: /[<[](.+?)(?:\.\.\.)?[>\]]$/u.exec(option.flags)?.[1],
      default: option.defaultValueDescription,
    }));
  return [...ofFlags, ONLY_IN_A_PLAN];
}

function kindOf({ required, optional, variadic, parseArg }: Option): PlanKey["kind"] {
  // Repeatable flags have a parser that collects their values.
  if (variadic || parseArg !== undefined) return "list";
  if (required) return "value";
  return optional ? "optional-value" : "switch";
}

/** The names of the flags that the command line has, without those that have their defaults. */
export function givenNames(command: Command): ReadonlySet<string> {
  const names = command.options.map((option) => option.attributeName());
  return new Set(names.filter((name) => command.getOptionValueSource(name) === "cli"));
}
