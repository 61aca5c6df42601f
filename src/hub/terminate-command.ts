import { oneLine } from "../format/one-line.js";

/** The command that ends the unfinished instances of a run. It needs the orchestrators if the run id alone does not identify a load test. */
export function terminateCommand(runId: string, orchestrators: readonly string[] = []): string {
  return [`fanout terminate --run ${runId}`, ...orchestrators.map(shellWord)].join(" --orchestrator ");
}

/** Text quoted as one word for a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w.:/@%+=-]+$/u.test(text) ? text : `'${oneLine(text).replaceAll("'", String.raw`'\''`)}'`;
}
