import { hostname } from "node:os";
import type { Backend } from "../backend/backend.js";
import { formatDuration } from "../format/duration.js";
import { plural } from "../format/count.js";
import type { Reading } from "../load/load-test.js";
import type { LoadPlan } from "../plan/plan.js";
import { repeatedRunId } from "../plan/run-id.js";
import type { Replay } from "../protocol/replay.js";
import type { RunResult } from "../result/run-result.js";
import type { Soak, SoakAlarm, SoakEvidence, SoakLeg as LegRecord } from "../result/soak-schema.js";
import { accountOfKilled } from "./account.js";
import { evidenceOf } from "./evidence.js";
import { legsSoFar, withLength } from "./legs-so-far.js";
import type { SeriesChange } from "./series-alarms.js";
import { SeriesAlarms } from "./series-alarms.js";
import type { SoakFolder } from "./soak-folder.js";
import { SoakLeg, type LegMoment, type LegOutcome } from "./soak-leg.js";

export interface SoakRunOptions {
  readonly backend: Backend;
  readonly replay: Replay;
  /** Open load of one rate. Its length is that of all legs. */
  readonly plan: LoadPlan;
  readonly soak: Soak;
  /** This process has locked it. */
  readonly folder: SoakFolder;
  readonly stopOnAlarm: boolean;
  readonly attended: boolean;
  readonly interruption: AbortSignal;
  readonly beginReading: () => Reading;
  readonly onLine: (line: string) => void;
  /** Called with the leg before it runs. */
  readonly onLeg: (leg: SoakLeg) => void;
  readonly resultText: (result: RunResult) => string;
  readonly alarmText: (alarm: SoakAlarm) => string;
}

export interface SoakOutcome {
  readonly soak: Soak;
  /** Why the load, or the wait for its end, was cut off. */
  readonly gaveUp: string | undefined;
  /** The first error of a file that could not be written at the end. */
  readonly unwritten: unknown;
}

/** One leg of a soak, from what its folder holds to what it holds afterwards. */
export class SoakRun {
  #soak: Soak;
  #leg: SoakLeg | undefined;
  #unwritten: unknown;

  constructor(readonly options: SoakRunOptions) {
    this.#soak = options.soak;
  }

  /**
   * Makes the load that is left, and accounts for legs that were killed.
   * @throws FanoutError if the folder cannot be written to before the load begins
   * @throws UsageError if another host may make this soak
   */
  async run(): Promise<SoakOutcome> {
    const { folder, interruption, plan } = this.options;
    const { legs, leftMs } = legsSoFar(this.#soak, await folder.lastOfLegs(), plan);
    this.#soak = { ...this.#soak, legs };
    const outcome = leftMs > 0 && !interruption.aborted ? await this.#runLeg(plan, leftMs) : undefined;
    await this.#accountForKilled();
    const ended = this.#soak.legs.at(-1)?.ended;
    const isDone = loadMsOf(this.#soak) >= this.#soak.durationMs;
    this.#soak = { ...this.#soak, ended: isDone ? "done" : ended === "stopped" ? ended : "interrupted" };
    await this.#kept(() => folder.write(this.#soak));
    const gaveUp = outcome?.aborted ? undefined : outcome?.gaveUp;
    return { soak: this.#soak, gaveUp, unwritten: this.#unwritten };
  }

  async #runLeg(ofAll: LoadPlan, leftMs: number): Promise<LegOutcome> {
    const { folder } = this.options;
    const { everyMs, learnMs, soakId } = this.#soak;
    const number = this.#soak.legs.length + 1;
    const begun: LegRecord = {
      number,
      runId: repeatedRunId(soakId, number),
      startedAt: new Date().toISOString(),
      generator: { host: hostname(), pid: process.pid },
      ended: "running",
      loadMs: 0,
      started: 0,
    };
    this.#soak = { ...this.#soak, ended: "running", legs: [...this.#soak.legs, begun] };
    await folder.write(this.#soak);
    const leg = new SoakLeg({
      ...this.options,
      plan: withLength(ofAll, leftMs),
      number,
      runId: begun.runId,
      everyMs,
      alarms: new SeriesAlarms(Math.round(learnMs / everyMs)),
      onInterval: (interval) => folder.append(interval),
      onChange: (change, moment) => this.#change(change, moment),
    });
    this.#leg = leg;
    this.options.onLeg(leg);
    const outcome = await leg.run();
    const { result, loadMs } = outcome;
    const file = `leg-${number}.json`;
    const isWritten = await this.#kept(() => folder.writeFile(file, this.options.resultText(result)));
    const { started, completed, failed, terminated, unfinished } = result.counts.orchestrations;
    const ended: LegRecord = {
      ...begun,
      ended: loadMs >= leftMs ? "done" : result.interrupted ? "interrupted" : "stopped",
      loadMs,
      started,
      completed,
      failed,
      terminated,
      unfinished,
      ...(result.verdict && { verdict: result.verdict.status }),
      ...(result.recount && "lost" in result.recount && { lost: result.recount.lost.total }),
      ...(isWritten && { result: file }),
    };
    this.#soak = { ...this.#soak, legs: [...this.#soak.legs.slice(0, -1), ended] };
    return outcome;
  }

  async #change(change: SeriesChange, moment: LegMoment): Promise<void> {
    if (change.kind === "changed") await this.#raise(change, moment);
    else this.#recover(change, moment.interval.leg);
    await this.options.folder.write(this.#soak);
  }

  #recover({ series, at }: Extract<SeriesChange, { kind: "recovered" }>, leg: number): void {
    const alarms = this.#soak.alarms.map((alarm) => {
      const isIt = alarm.series === series && alarm.recoveredAt === undefined && alarm.leg === leg;
      return isIt ? { ...alarm, recoveredAt: at } : alarm;
    });
    this.#soak = { ...this.#soak, alarms };
    this.options.onLine(`as usual again: ${series}`);
  }

  async #raise(change: Extract<SeriesChange, { kind: "changed" }>, moment: LegMoment): Promise<void> {
    const { folder, stopOnAlarm, onLine, alarmText } = this.options;
    const { series, usualUntil, at, usual, found } = change;
    const number = this.#soak.alarms.length + 1;
    const alarm = { number, leg: moment.interval.leg, series, usualUntil, raisedAt: at, usual, found };
    const before = this.#soak.alarms;
    this.#soak = { ...this.#soak, alarms: [...before, alarm] };
    onLine(alarmText(alarm));
    if (stopOnAlarm) this.#leg?.stop(`alarm on ${series} (--stop-on-alarm)`);
    const evidence = `alarm-${number}.json`;
    await folder.writeFile(evidence, await this.#evidenceText(alarm, moment));
    this.#soak = { ...this.#soak, alarms: [...before, { ...alarm, evidence }] };
  }

  /** Whether it was written. The first error is kept for the end: it costs a file, not the answer. */
  async #kept(write: () => Promise<void>): Promise<boolean> {
    try {
      await write();
      return true;
    } catch (error) {
      this.#unwritten ??= error;
      return false;
    }
  }

  async #evidenceText(alarm: SoakAlarm, { interval, intervals, oldest, rpcErrorsByCall }: LegMoment): Promise<string> {
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
      intervals,
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
