import type { Backend } from "../backend/backend.js";
import { formatDuration } from "../format/duration.js";
import { plural } from "../format/count.js";
import type { LoadTestOutcome } from "../load/load-test.js";
import type { LoadPlan } from "../plan/plan.js";
import { repeatedRunId } from "../plan/run-id.js";
import type { Replay } from "../protocol/replay.js";
import type { RunResult } from "../result/run-result.js";
import type { Soak, SoakAlarm, SoakEvidence, SoakInterval, SoakLeg as LegRecord } from "../result/soak-schema.js";
import { accountOfKilled } from "./account.js";
import { evidenceOf } from "./evidence.js";
import type { SeriesChange } from "./series-alarms.js";
import { SeriesAlarms } from "./series-alarms.js";
import type { SoakFolder } from "./soak-folder.js";
import { SoakLeg, type LegMoment } from "./soak-leg.js";

/** Intervals that an evidence file shows. */
const SHOWN_INTERVALS = 60;

export interface SoakRunOptions {
  readonly backend: Backend;
  readonly replay: Replay;
  /** Open load of one rate. Its length is that of all legs. */
  readonly plan: LoadPlan;
  readonly soak: Soak;
  readonly folder: SoakFolder;
  readonly stopOnAlarm: boolean;
  readonly attended: boolean;
  readonly interruption: AbortSignal;
  readonly onLine: (line: string) => void;
  /** Called with the leg before it runs. */
  readonly onLeg: (leg: SoakLeg) => void;
  readonly resultText: (result: RunResult) => string;
  readonly alarmText: (alarm: SoakAlarm) => string;
}

/** One leg of a soak, from what its folder holds to what it holds afterwards. */
export class SoakRun {
  #soak: Soak;
  readonly #intervals: SoakInterval[] = [];
  #leg: SoakLeg | undefined;

  constructor(readonly options: SoakRunOptions) {
    this.#soak = options.soak;
  }

  /**
   * Makes the load that is left, and accounts for legs that were killed.
   * @throws FanoutError if the folder cannot be written to before the load begins
   */
  async run(): Promise<{ readonly soak: Soak; readonly gaveUp: string | undefined }> {
    const { folder, interruption } = this.options;
    const last = await folder.lastOfLegs();
    const { warmupMs = 0 } = this.options.plan;
    const legs = this.#soak.legs.map((leg) =>
      leg.ended === "running" ? killed(leg, last.get(leg.number), warmupMs) : leg,
    );
    this.#soak = { ...this.#soak, legs };
    const leftMs = this.#soak.durationMs - loadMsOf(this.#soak);
    const outcome = leftMs > 0 && !interruption.aborted ? await this.#runLeg(leftMs) : undefined;
    await this.#accountForKilled();
    const ended = this.#soak.legs.at(-1)?.ended;
    const isDone = loadMsOf(this.#soak) >= this.#soak.durationMs;
    this.#soak = { ...this.#soak, ended: isDone ? "done" : ended === "stopped" ? ended : "interrupted" };
    await folder.write(this.#soak);
    return { soak: this.#soak, gaveUp: outcome?.gaveUp };
  }

  async #runLeg(leftMs: number): Promise<LoadTestOutcome> {
    const { folder, everyMs, learnMs } = { ...this.options, ...this.#soak };
    const number = this.#soak.legs.length + 1;
    const runId = repeatedRunId(this.#soak.soakId, number);
    const begun: LegRecord = {
      number,
      runId,
      startedAt: new Date().toISOString(),
      ended: "running",
      loadMs: 0,
      started: 0,
      completed: 0,
      failed: 0,
    };
    this.#soak = { ...this.#soak, ended: "running", legs: [...this.#soak.legs, begun] };
    await folder.write(this.#soak);
    const plan = withLength(this.options.plan, leftMs);
    const leg = new SoakLeg({
      ...this.options,
      plan,
      number,
      runId,
      everyMs,
      alarms: new SeriesAlarms(Math.round(learnMs / everyMs)),
      onInterval: (interval) => this.#add(interval),
      onChange: (change, moment) => this.#change(change, moment),
    });
    this.#leg = leg;
    this.options.onLeg(leg);
    const outcome = await leg.run();
    const { result } = outcome;
    const { started, completed, failed } = result.counts.orchestrations;
    const lost = result.recount !== undefined && "lost" in result.recount ? result.recount.lost.total : undefined;
    const loadMs = Math.max(0, Math.min(leftMs, (this.#intervals.at(-1)?.elapsedMs ?? 0) - (plan.warmupMs ?? 0)));
    const file = `leg-${number}.json`;
    await folder.writeFile(file, this.options.resultText(result));
    const ended: LegRecord = {
      ...begun,
      ended: endingOf(outcome, loadMs === leftMs),
      loadMs,
      started,
      completed,
      failed,
      ...(result.verdict && { verdict: result.verdict.status }),
      ...(lost !== undefined && { lost }),
      result: file,
    };
    this.#soak = { ...this.#soak, legs: [...this.#soak.legs.slice(0, -1), ended] };
    return outcome;
  }

  async #add(interval: SoakInterval): Promise<void> {
    this.#intervals.push(interval);
    if (this.#intervals.length > SHOWN_INTERVALS) this.#intervals.shift();
    await this.options.folder.append(interval);
  }

  async #change(change: SeriesChange, moment: LegMoment): Promise<void> {
    const { folder, stopOnAlarm, onLine, alarmText } = this.options;
    if (change.kind === "recovered") {
      const alarms = this.#soak.alarms.map((alarm) => {
        const isIt =
          alarm.series === change.series && alarm.recoveredAt === undefined && alarm.leg === moment.interval.leg;
        return isIt ? { ...alarm, recoveredAt: change.at } : alarm;
      });
      this.#soak = { ...this.#soak, alarms };
      onLine(`${change.series} is as usual again`);
    } else {
      const number = this.#soak.alarms.length + 1;
      const evidence = `alarm-${number}.json`;
      const { series, firstBadAt, at, usual, found } = change;
      const alarm = { number, leg: moment.interval.leg, series, firstBadAt, raisedAt: at, usual, found, evidence };
      onLine(alarmText(alarm));
      this.#soak = { ...this.#soak, alarms: [...this.#soak.alarms, alarm] };
      await folder.writeFile(evidence, await this.#evidenceText(alarm, moment));
      if (stopOnAlarm) this.#leg?.stop(`alarm on ${series} (--stop-on-alarm)`);
    }
    await folder.write(this.#soak);
  }

  async #evidenceText(alarm: SoakAlarm, { interval, oldest, rpcErrorsByCall }: LegMoment): Promise<string> {
    const { backend, interruption } = this.options;
    const evidence: SoakEvidence = {
      schemaVersion: 1,
      soakId: this.#soak.soakId,
      alarm,
      offeredPerSecond: this.#soak.ratePerSecond,
      inFlight: interval.inFlight,
      ...(interval.workers !== undefined && { workers: interval.workers }),
      rpcErrorsByCall,
      ...(await evidenceOf(backend, oldest, interruption)),
      intervals: this.#intervals,
    };
    return `${JSON.stringify(evidence, undefined, 2)}\n`;
  }

  async #accountForKilled(): Promise<void> {
    const { backend, interruption, onLine } = this.options;
    const legs: LegRecord[] = [];
    for (const leg of this.#soak.legs) {
      const isOpen = leg.ended === "killed" && (leg.account === undefined || "unknown" in leg.account);
      legs.push(isOpen ? { ...leg, account: await accountOfKilled(backend.client, leg, interruption) } : leg);
      if (isOpen) onLine(`counted what the task hub has of leg ${leg.number}, whose process was killed`);
    }
    this.#soak = { ...this.#soak, legs };
  }
}

/** How long starts were sent, over all legs. */
function loadMsOf({ legs }: Soak): number {
  return legs.reduce((sum, { loadMs }) => sum + loadMs, 0);
}

/** `2 legs, 7h30m of 8h` */
export function legsText(soak: Soak): string {
  return `${plural(soak.legs.length, "leg")}, ${formatDuration(loadMsOf(soak))} of ${formatDuration(soak.durationMs)}`;
}

function killed(leg: LegRecord, last: SoakInterval | undefined, warmupMs: number): LegRecord {
  const loadMs = Math.max(0, (last?.elapsedMs ?? 0) - warmupMs);
  return { ...leg, ended: "killed", loadMs, started: last?.started ?? 0 };
}

function endingOf({ result }: LoadTestOutcome, isWhole: boolean): "done" | "interrupted" | "stopped" {
  if (isWhole) return "done";
  return result.interrupted ? "interrupted" : "stopped";
}

function withLength(plan: LoadPlan, lengthMs: number): LoadPlan {
  if (plan.load.kind !== "open") throw new Error("Expected a soak with open load.");
  return { ...plan, load: { ...plan.load, stages: plan.load.stages.map((stage) => ({ ...stage, lengthMs })) } };
}
