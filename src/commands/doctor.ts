import { diagnose } from "../diagnosis/diagnose.js";
import type { Finding } from "../diagnosis/finding.js";
import { firstOf, type ExitCode } from "../exit-codes.js";
import { inertJson } from "../format/json-text.js";
import { hanging } from "../format/wrap.js";
import { styleFor } from "../report/text-style.js";
import type { CommandIo } from "./io.js";
import { noticeOn } from "./notice.js";

export interface DoctorFlags {
  readonly connectionString?: string;
  readonly taskHub?: string;
  readonly json?: boolean;
}

/**
 * `fanout doctor`: one line for each check. Exits with 2 if the configuration is wrong, and with 1 after any other
 * failure.
 */
export async function runDoctorCommand(flags: DoctorFlags, io: CommandIo): Promise<ExitCode> {
  const findings: Omit<Finding, "exitCode">[] = [];
  const exitCodes: ExitCode[] = [];
  const sources = { flag: flags.connectionString, taskHub: flags.taskHub };
  const { columns } = styleFor(io.stdout);
  const onNotice = noticeOn(io.stderr);
  for await (const { exitCode, ...finding } of diagnose(sources, { onNotice })) {
    findings.push(finding);
    if (exitCode !== undefined) exitCodes.push(exitCode);
    if (flags.json !== true) {
      const lead = `${finding.outcome.padEnd(7)}  ${finding.name.padEnd(17)}  `;
      io.stdout.write(`${hanging(lead, finding.detail, columns).join("\n")}\n`);
    }
  }
  const ok = exitCodes.length === 0;
  if (flags.json === true)
    io.stdout.write(`${inertJson(JSON.stringify({ schemaVersion: 1, ok, checks: findings }, undefined, 2))}\n`);

  return firstOf(exitCodes);
}
