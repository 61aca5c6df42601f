import { diagnose } from "../diagnosis/diagnose.js";
import type { Finding } from "../diagnosis/finding.js";
import { ExitCode } from "../exit-codes.js";
import { inertJson } from "../format/json-text.js";
import type { CommandIo } from "./io.js";

export interface DoctorFlags {
  readonly connectionString?: string;
  readonly taskHub?: string;
  readonly json?: boolean;
}

/** `fanout doctor`: one line for each thing that a run needs. 1 if anything is wrong; a warning is not. */
export async function runDoctorCommand(flags: DoctorFlags, io: CommandIo): Promise<ExitCode> {
  const findings: Finding[] = [];
  const sources = { flag: flags.connectionString, taskHub: flags.taskHub };
  for await (const finding of diagnose(sources, { onNotice: (line) => void io.stderr.write(`${line}\n`) })) {
    findings.push(finding);
    if (flags.json !== true) {
      io.stdout.write(`${finding.outcome.padEnd(7)}  ${finding.name.padEnd(17)}  ${finding.detail}\n`);
    }
  }
  const ok = findings.every(({ outcome }) => outcome !== "failed");
  if (flags.json === true) {
    io.stdout.write(`${inertJson(JSON.stringify({ schemaVersion: 1, ok, checks: findings }, undefined, 2))}\n`);
  }
  return ok ? ExitCode.Success : ExitCode.Failure;
}
