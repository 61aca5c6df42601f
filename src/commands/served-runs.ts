import { fileURLToPath } from "node:url";
import { formatConnection, type Connection } from "../backend/connection-string.js";
import { plural } from "../format/count.js";
import { GeneratorProcess } from "../generators/generator-process.js";
import type { BackendLink } from "../http/backend-link.js";
import type { RunsApi } from "../http/run-routes.js";
import { runBody } from "../http/run-schemas.js";
import { terminateCommand } from "../hub/terminate-command.js";
import type { Flags } from "../plan/plan-file.js";
import type { PlanKey } from "../plan/plan-file-keys.js";
import type { Billing } from "../plan/spend-guard.js";
import { isGeneratedRunId } from "../plan/run-id.js";
import type { RunArchive } from "../runs/run-archive.js";
import { ServedRun, type ServedRunOptions } from "../runs/served-run.js";
import { ServedRuns } from "../runs/served-runs.js";
import { placeOf } from "./place-of.js";
import { exitCodeOfRun } from "./run-exit-code.js";
import { readServedPlan, servedKeys } from "./served-plan.js";
import { terminateLeft, type LeftRun } from "./terminate-left.js";

const ENTRY = fileURLToPath(new URL("../commands/served-run.js", import.meta.url));

/** The flags of `fanout run`. */
export interface RunFlagsOfServe {
  readonly keys: readonly PlanKey[];
  readonly defaults: Flags;
}

interface ServedRunsOptions extends RunFlagsOfServe {
  readonly link: BackendLink;
  readonly connection: Connection;
  readonly most: number;
  readonly archive: RunArchive | undefined;
  readonly say: (line: string) => void;
}

/** The runs that `fanout serve` starts on its own backend. */
export function servedRuns({ link, connection, most, archive, keys, defaults, say }: ServedRunsOptions): RunsApi {
  const runs = new ServedRuns({
    most,
    bodyOf: runBody,
    archive,
    start: async (run) =>
      new ServedRun({
        ...run,
        fork: (onLine) => new GeneratorProcess(onLine, ENTRY),
        connectionString: formatConnection((await link.open()).connection),
        exitCodeOf: (outcome) => exitCodeOfRun(outcome, { allowInvalid: run.planned.flags["allowInvalid"] === true }),
        bodyOf: runBody,
        cleanUp: () => terminateLeft(link.client, leftOf(run)),
      }),
    onStart: ({ runId, options: { planned } }) => say(`Run ${runId} was started: ${planned.planLine}`),
  });
  runs.onEnd((run) => say(endLine(run)));
  return {
    runs,
    keys: servedKeys(keys),
    readPlan: (body) => readServedPlan(body, { keys, defaults, connection }),
    billing: () => billingOf(link),
  };
}

/** Cancels what is in progress, for the end of the server. */
export async function cancelRuns(runs: ServedRuns, say: (line: string) => void): Promise<void> {
  const { inProgress } = runs;
  if (inProgress.length > 0)
    say(`Cancelling ${plural(inProgress.length, "run")}. A second signal exits at once; the run then ends by itself.`);
  await runs.close();
}

async function billingOf(link: BackendLink): Promise<Billing> {
  let billing: Billing = "emulator";
  await placeOf(await link.open(), (found) => void (billing = found));
  return billing;
}

function endLine({ runId, status, result, failure, gaveUp, cleanedUp, options }: ServedRun): string {
  if (failure !== undefined) return `error: run ${runId} failed: ${failure.message}`;
  const { terminated = 0, unfinished = 0 } = result?.counts.orchestrations ?? {};
  const { command } = leftOf({ runId, planned: options.planned });
  const isLeft = unfinished > 0 && cleanedUp === undefined;
  const parts = [
    terminated > 0 && `${plural(terminated, "orchestration")} terminated`,
    isLeft && `${plural(unfinished, "orchestration")} left unfinished; to end them: ${command}`,
    gaveUp,
  ].filter((part) => part !== false && part !== undefined);
  const line = `Run ${runId} was ${status}${parts.length > 0 ? `: ${parts.join(", ")}` : ""}`;
  return cleanedUp === undefined ? line : `${line}. ${cleanedUp}`;
}

function leftOf({ runId, planned }: Pick<ServedRunOptions, "runId" | "planned">): LeftRun {
  const names = isGeneratedRunId(runId) ? [] : planned.foreignNames;
  return { runId, command: terminateCommand(runId, names) };
}
