import { diagnose } from "../diagnosis/diagnose.js";
import type { Finding } from "../diagnosis/finding.js";
import { firstOf, type ExitCode } from "../exit-codes.js";
import { inertJson } from "../format/json-text.js";
import type { CommandIo } from "./io.js";

export interface DoctorFlags {
  readonly connectionString?: string;
  readonly taskHub?: string;
  readonly json?: boolean;
}

/** `fanout doctor`: one line for each thing that a run needs. 2 if the configuration is wrong, 1 if anything else is. */
export async function runDoctorCommand(flags: DoctorFlags, io: CommandIo): Promise<ExitCode> {
  const findings: Omit<Finding, "exitCode">[] = [];
  const exitCodes: ExitCode[] = [];
  const sources = { flag: flags.connectionString, taskHub: flags.taskHub };
  const onNotice = (line: string): void => void io.stderr.write(`${line}\n`);
  for await (const { exitCode, ...finding } of diagnose(sources, { onNotice })) {
    findings.push(finding);
    if (exitCode !== undefined) exitCodes.push(exitCode);
    if (flags.json !== true) {
      io.stdout.write(`${finding.outcome.padEnd(7)}  ${finding.name.padEnd(17)}  ${finding.detail}\n`);
    }
  }
  const ok = exitCodes.length === 0;
  if (flags.json === true) {
    io.stdout.write(`${inertJson(JSON.stringify({ schemaVersion: 1, ok, checks: findings }, undefined, 2))}\n`);
  }
  return firstOf(exitCodes);
}
