import type { Backend } from "../backend/backend.js";
import { FanoutError, UsageError } from "../errors.js";
import { isRunId } from "../plan/run-id.js";

/** @throws UsageError: any other text would select instances that no run of fanout has started */
export function checkRunId(run: string): void {
  if (!isRunId(run))
    throw new UsageError("invalid-value", `--run: expected a run id such as rmwvaxyifz2wa, found "${run}"`);
}

/** Names the call that the backend lacks, and what can be done without it. */
export function cannotList(backend: Backend, instead: string, cause: unknown): FanoutError {
  return new FanoutError(
    "call-unsupported",
    `${backend.displayName} has no QueryInstances (UNIMPLEMENTED), so its task hub cannot be listed.`,
    { hint: instead, cause },
  );
}

/** A backend that does not purge at all. */
export function cannotPurge(backend: Backend, cause: unknown): FanoutError {
  return new FanoutError(
    "call-unsupported",
    `${backend.displayName} has no PurgeInstances (UNIMPLEMENTED), so instances cannot be deleted there.`,
    { cause },
  );
}

/** A backend that does not terminate at all. */
export function cannotTerminate(backend: Backend, cause: unknown): FanoutError {
  return new FanoutError(
    "call-unsupported",
    `${backend.displayName} has no TerminateInstance (UNIMPLEMENTED), so instances cannot be ended there.`,
    { cause },
  );
}

export function unknownRun(runId: string, backend: Backend): FanoutError {
  return new FanoutError(
    "run-not-found",
    `Task hub ${backend.connection.taskHub} on ${backend.displayName} has no instance of run ${runId}.`,
    { hint: "`fanout status` lists the latest runs." },
  );
}
