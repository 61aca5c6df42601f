import { formatCount, plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { formatRate } from "../format/rate.js";
import { hanging, wrapped } from "../format/wrap.js";
import type { Soak, SoakAccount, SoakAlarm, SoakLeg } from "../result/soak-schema.js";
import type { TextStyle } from "./text-style.js";

const NAME_WIDTH = 13;

/** What a soak found, for a person, without a final newline. */
export function soakText(soak: Soak, folder: string, { colours, columns }: TextStyle): string {
  const { ended, alarms, legs, durationMs, ratePerSecond, soakId } = soak;
  const loadMs = legs.reduce((sum, leg) => sum + leg.loadMs, 0);
  const isQuiet = ended === "done" && alarms.length === 0;
  const found = alarms.length === 0 ? "no alarm" : plural(alarms.length, "alarm");
  const held = `: ${formatRate(ratePerSecond)} for ${formatDuration(loadMs)} of ${formatDuration(durationMs)}, ${found}`;
  const facts: [name: string, text: string][] = [
    ...alarms.map((alarm): [string, string] => [`alarm ${alarm.number}`, factsOfAlarm(alarm)]),
    ...legs.map((leg): [string, string] => [`leg ${leg.number}`, legText(leg)]),
    ["folder", folder],
    ["soak", soakId],
  ];
  if (ended !== "done") facts.push(["to go on", `fanout soak --resume ${folder}`]);
  return [
    ...wrapped((isQuiet ? colours.green : colours.yellow)("Soak") + held, columns),
    ...facts.flatMap(([name, text]) => hanging(`  ${name.padEnd(NAME_WIDTH)} `, text, columns)),
  ].join("\n");
}

/** For a person who watches. */
export function alarmText(alarm: SoakAlarm): string {
  return `alarm ${alarm.number}: ${factsOfAlarm(alarm)}`;
}

function factsOfAlarm({ series, usualUntil, usual, found, recoveredAt, evidence }: SoakAlarm): string {
  const shown = (value: number): string => {
    if (series === "throughput") return formatRate(value);
    return series === "workers" ? formatCount(value) : formatDuration(value);
  };
  const recovered = recoveredAt === undefined ? "" : `, as usual again at ${recoveredAt}`;
  const kept = evidence === undefined ? "" : `; ${evidence}`;
  return `${series} ${shown(found)} since ${usualUntil}, usually ${shown(usual)}${recovered}${kept}`;
}

function legText(leg: SoakLeg): string {
  const { ended, loadMs, started, completed = 0, failed = 0, terminated = 0, unfinished = 0 } = leg;
  const { lost, verdict, account, runId } = leg;
  const parts =
    account === undefined
      ? [
          `${formatCount(completed)} of ${formatCount(started)} completed`,
          failed > 0 && `${formatCount(failed)} failed`,
          terminated > 0 && `${formatCount(terminated)} terminated`,
          unfinished > 0 && `${formatCount(unfinished)} unfinished`,
          lost !== undefined && `${formatCount(lost)} lost`,
          verdict && `verdict ${verdict}`,
        ]
      : [accountText(account, started)];
  return [`${ended} after ${formatDuration(loadMs)}`, ...parts, runId]
    .filter((part) => part !== false && part)
    .join(", ");
}

function accountText(account: SoakAccount, started: number): string {
  if ("unknown" in account) return `what the task hub has of it is unknown: ${account.unknown}`;
  const { instances, byStatus, missing, afterCheckpoint } = account;
  const statuses = Object.entries(byStatus).map(([status, count]) => `${formatCount(count)} ${status}`);
  return (
    `${formatCount(started)} sent by its last checkpoint and ${formatCount(afterCheckpoint)} after it; the task hub has ` +
    `${formatCount(instances)}${statuses.length === 0 ? "" : ` (${statuses.join(", ")})`}; missing: ${formatCount(missing.total)}`
  );
}
