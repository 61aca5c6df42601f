import * as fc from "fast-check";
import { stamped } from "../../../src/breakdown/critical-path.js";
import type { TracedInstance } from "../../../src/breakdown/traced-instance.js";
import type { HistoryMoment } from "../../../src/protocol/history-moments.js";

/** How long each step of an activity took, microseconds. */
export interface SimulatedActivity {
  readonly queueUs: number;
  readonly executeUs: number;
  readonly returnUs: number;
}

export interface SimulatedLife {
  readonly slipUs: number;
  readonly startUs: number;
  readonly answerUs: number;
  readonly firstDispatchUs: number;
  readonly iterations: readonly {
    readonly scheduleUs: number;
    readonly activities: readonly SimulatedActivity[];
    readonly fanInUs: number;
  }[];
  readonly finishUs: number;
  readonly noticeUs: number;
}

/** What the clocks show of a moment of true time, microseconds. */
export interface SimulatedClocks {
  readonly backend: (trueUs: number) => number;
  readonly worker: (trueUs: number) => number;
}

interface SimulationOptions {
  readonly number?: number;
  readonly isStamped?: boolean;
  readonly workerId?: string;
}

const CLIENT_US = 1_700_000_000_000_000;

/** An instance that lived like that: the client's clock shows the true time. Its activities stamp unless told otherwise. */
export function simulatedInstance(
  life: SimulatedLife,
  clocks: SimulatedClocks,
  { number = 0, isStamped = true, workerId = "a worker" }: SimulationOptions = {},
): TracedInstance {
  const intendedUs = CLIENT_US + number * 1_000;
  const sentUs = intendedUs + life.slipUs;
  const trueCreatedUs = sentUs + life.startUs;
  const history: HistoryMoment[] = [];
  const add = (trueUs: number, moment: HistoryMoment): void =>
    void history.push({ ...moment, atUs: clocks.backend(trueUs) });
  let nowUs = trueCreatedUs + life.firstDispatchUs;
  let id = 0;
  let arrived: { readonly trueUs: number; readonly moment: HistoryMoment }[] = [
    { trueUs: trueCreatedUs, moment: { kind: "execution-started", atUs: 0 } },
  ];
  const episode = (): void => {
    add(nowUs, { kind: "orchestrator-started", atUs: 0 });
    for (const { trueUs, moment } of arrived) add(trueUs, moment);
  };
  for (const { scheduleUs, activities, fanInUs } of life.iterations) {
    episode();
    nowUs += scheduleUs;
    const askedUs = nowUs;
    arrived = activities.map(({ queueUs, executeUs, returnUs }) => {
      id += 1;
      add(askedUs, { kind: "asked", atUs: 0, id, what: "activity" });
      const startedUs = clocks.worker(askedUs + queueUs);
      const finishedUs = clocks.worker(askedUs + queueUs + executeUs);
      const stamps = { startedAt: startedUs / 1_000, finishedAt: finishedUs / 1_000, workerId };
      const output = JSON.stringify({ output: "Hello World", ...(isStamped && stamps) });
      const moment: HistoryMoment = { kind: "answered", atUs: 0, id, what: "activity", failed: false, output };
      return { trueUs: askedUs + queueUs + executeUs + returnUs, moment };
    });
    nowUs = Math.max(...arrived.map(({ trueUs }) => trueUs)) + fanInUs;
  }
  episode();
  nowUs += life.finishUs;
  add(nowUs, { kind: "ended", atUs: 0 });
  return {
    instanceId: `r-00000-${number}`,
    outcome: "completed",
    intendedUs,
    sentUs,
    acceptedUs: trueCreatedUs + life.answerUs,
    endedUs: nowUs + life.noticeUs,
    createdUs: clocks.backend(trueCreatedUs),
    history: stamped(history),
    children: new Map(),
  };
}

const time = fc.integer({ min: 0, max: 300_000 });

export const anyLife: fc.Arbitrary<SimulatedLife> = fc.record({
  slipUs: time,
  startUs: time,
  answerUs: time,
  firstDispatchUs: time,
  iterations: fc.array(
    fc.record({
      scheduleUs: time,
      activities: fc.array(fc.record({ queueUs: time, executeUs: time, returnUs: time }), {
        minLength: 1,
        maxLength: 5,
      }),
      fanInUs: time,
    }),
    { maxLength: 5 },
  ),
  finishUs: time,
  noticeUs: time,
});

/** A clock that is `aheadUs` ahead of the true one. */
export function aheadBy(aheadUs: number): (trueUs: number) => number {
  return (trueUs) => trueUs + aheadUs;
}
