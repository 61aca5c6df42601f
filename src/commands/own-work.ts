import { UsageError } from "../errors.js";
import { oneLine } from "../format/one-line.js";
import { shellWord } from "../hub/terminate-command.js";
import type { InstanceSelection } from "../hub/instance-selection.js";

/** The names of a longer list are nobody's mix. */
const LISTED = 5;

/**
 * With `--yes` nobody sees the question. Instances that may belong to another application then need the names of their
 * orchestrators.
 * @throws UsageError that names what was found, and the flag
 */
export function requireNamed(runId: string, { unrecognised }: InstanceSelection, named: readonly string[]): void {
  const unnamed = unrecognised.filter((name) => !named.includes(name));
  if (unnamed.length === 0) return;
  const found = orchestratorsText(unrecognised);
  throw new UsageError(
    "foreign-work",
    `--run ${runId}: expected instances of a load test, found those of ${found}. They may belong to another ` +
      "application, since fanout did not generate this run id.",
    {
      hint:
        unnamed.length <= LISTED
          ? `If a load test started them, add ${unnamed.map((name) => `--orchestrator ${shellWord(name)}`).join(" ")}. Nothing was changed.`
          : "Run it without --yes at a terminal to be asked. Nothing was changed.",
    },
  );
}

/** `the orchestrator Order`, `the orchestrators Order and Refund` */
export function orchestratorsText(names: readonly string[]): string {
  const listed = new Intl.ListFormat("en").format(names.map(oneLine));
  return `the orchestrator${names.length === 1 ? "" : "s"} ${listed}`;
}
