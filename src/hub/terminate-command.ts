import { oneLine } from "../format/one-line.js";

/** The command that ends what a run has left; the orchestrator where the run id does not tell that it is a load test's. */
export function terminateCommand(runId: string, orchestrator?: string): string {
  return `fanout terminate --run ${runId}${orchestrator === undefined ? "" : ` --orchestrator ${shellWord(orchestrator)}`}`;
}

/** Text as a POSIX shell takes it for one word. */
export function shellWord(text: string): string {
  return /^[\w.:/@%+=-]+$/u.test(text) ? text : `'${oneLine(text).replaceAll("'", String.raw`'\''`)}'`;
}
