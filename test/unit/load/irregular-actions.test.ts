import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { OrchestrationClient } from "../../../src/backend/orchestration-client.js";
import { countIrregularActions } from "../../../src/load/irregular-actions.js";
import { instanceIdOf } from "../../../src/plan/run-id.js";
import type { ResultPlan } from "../../../src/result/run-result.js";
import { SequenceSet } from "../../../src/stats/sequence-set.js";
import { HistoryTally } from "../../../src/protocol/history-chunk.js";
import { StringValue, pb } from "../../../src/protocol/sidecar-stubs.js";
import { fakeClient } from "../../support/load/fake-backend.js";

type HistoryEvent = InstanceType<typeof pb.HistoryEvent>;

/** What became of one activity: so many attempts failed, with a timer between them, and the last one as it says. */
interface Tried {
  readonly failures: number;
  readonly succeeds: boolean;
}

interface Life {
  readonly activities: readonly Tried[];
  /** Iterations that executions before a continue-as-new have done. */
  readonly before: number;
  /** Activities that they have tried again, where they say so. */
  readonly retriesBefore?: number | undefined;
  readonly events: number;
  readonly wasSuspended: boolean;
  readonly isTerminated: boolean;
}

const EVERY = 3;
const ACTIVITIES = 4;
const plan: ResultPlan = {
  iterations: 90,
  parallelActivities: ACTIVITIES,
  continueAsNewEvery: EVERY,
  load: { kind: "once" },
  workers: "auto",
  timeoutMs: 1,
};

const life: fc.Arbitrary<Life> = fc.record({
  activities: fc.array(fc.record({ failures: fc.nat(3), succeeds: fc.boolean() }), { maxLength: 8 }),
  before: fc.nat(20).map((executions) => executions * EVERY),
  events: fc.nat(2),
  wasSuspended: fc.boolean(),
  isTerminated: fc.boolean(),
});

/** By the published rules, without a look at a history. */
function costOf({ activities, before, retriesBefore = 0, events, wasSuspended, isTerminated }: Life): number {
  const ofActivities = activities.map(({ failures, succeeds }) => {
    const attempts = failures + Number(succeeds);
    const timers = succeeds ? failures : Math.max(0, failures - 1);
    return 2 * attempts + timers;
  });
  const carried = (before / EVERY) * (1 + 2 * EVERY * ACTIVITIES) + 3 * retriesBefore;
  const commands = events + (wasSuspended ? 2 : 0) + Number(isTerminated);
  return 1 + carried + commands + ofActivities.reduce((sum, cost) => sum + cost, 0);
}

function event(change: (event: HistoryEvent) => void): HistoryEvent {
  const made = new pb.HistoryEvent();
  made.setEventid(-1);
  change(made);
  return made;
}

function historyOf(one: Life): readonly HistoryEvent[] {
  const started = new pb.ExecutionStartedEvent();
  started.setName("FanOutFanInOrchestration");
  const input = new StringValue();
  const carried = {
    iterationsCompleted: one.before,
    processingTimeMs: 0,
    startedMs: 1,
    results: [],
    retries: one.retriesBefore,
  };
  input.setValue(JSON.stringify({ iterations: 90, parallelActivities: 4, ...(one.before > 0 && { carried }) }));
  started.setInput(input);
  const events = [
    event((made) => made.setOrchestratorstarted(new pb.OrchestratorStartedEvent())),
    event((made) => made.setExecutionstarted(started)),
  ];
  for (const { failures, succeeds } of one.activities) {
    for (let attempt = 0; attempt < failures + Number(succeeds); attempt += 1) {
      if (attempt > 0) {
        events.push(
          event((made) => made.setTimercreated(new pb.TimerCreatedEvent())),
          event((made) => made.setTimerfired(new pb.TimerFiredEvent())),
        );
      }
      events.push(event((made) => made.setTaskscheduled(new pb.TaskScheduledEvent())));
      if (attempt < failures) events.push(event((made) => made.setTaskfailed(new pb.TaskFailedEvent())));
      else events.push(event((made) => made.setTaskcompleted(new pb.TaskCompletedEvent())));
    }
  }
  for (let raised = 0; raised < one.events; raised += 1)
    events.push(event((made) => made.setEventraised(new pb.EventRaisedEvent())));

  if (one.wasSuspended) {
    events.push(
      event((made) => made.setExecutionsuspended(new pb.ExecutionSuspendedEvent())),
      event((made) => made.setExecutionresumed(new pb.ExecutionResumedEvent())),
    );
  }
  if (one.isTerminated) events.push(event((made) => made.setExecutionterminated(new pb.ExecutionTerminatedEvent())));
  return [...events, event((made) => made.setExecutioncompleted(new pb.ExecutionCompletedEvent()))];
}

/** A client of a backend that sends these histories in chunks of so many events. */
function clientOf(histories: readonly (readonly HistoryEvent[])[], chunkSize = 3): OrchestrationClient {
  return fakeClient({
    historyOf: (instanceId, { onBytes } = {}) => {
      const tally = new HistoryTally();
      const events =
        histories[histories.findIndex((_, sequence) => instanceIdOf("run", sequence) === instanceId)] ?? [];
      for (let from = 0; from < events.length; from += chunkSize) {
        const chunk = new pb.HistoryChunk();
        chunk.setEventsList(events.slice(from, from + chunkSize));
        const bytes = chunk.serializeBinary();
        onBytes?.(bytes.length);
        tally.add(bytes);
      }
      return Promise.resolve(tally);
    },
  });
}

function setOf(sequences: Iterable<number>): SequenceSet {
  const set = new SequenceSet();
  for (const sequence of sequences) set.add(sequence);
  return set;
}

function optionsFor(client: OrchestrationClient, accepted: number, completed: readonly number[] = []) {
  return {
    client,
    plan,
    runId: "run",
    starts: {
      accepted: setOf(Array.from({ length: accepted }).keys()),
      completed: setOf(completed),
      inWarmup: 0,
    },
    unanswered: new Set<number>(),
    interruption: new AbortController().signal,
    onLine: () => {},
  };
}

const FAILED: Life = {
  activities: [{ failures: 1, succeeds: false }],
  before: 0,
  events: 0,
  wasSuspended: false,
  isTerminated: false,
};

describe("the actions of orchestrations that did not complete", () => {
  test("are those of its histories, by the published rules", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(life, { maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        fc.nat(12),
        async (lives, chunkSize, inWarmup) => {
          const completed = lives.flatMap((_, sequence) => (sequence % 4 === 3 ? [sequence] : []));
          const client = clientOf(lives.map(historyOf), chunkSize);
          const options = optionsFor(client, lives.length, completed);
          const costs = lives.map((one, sequence) => (sequence % 4 === 3 ? 0 : costOf(one)));
          expect(await countIrregularActions({ ...options, starts: { ...options.starts, inWarmup } })).toEqual({
            instances: lives.length - completed.length,
            actions: costs.reduce((sum, cost) => sum + cost, 0),
            measured: costs.slice(inWarmup).reduce((sum, cost) => sum + cost, 0),
          });
        },
      ),
    );
  });

  test("are those of all instances if activities are retried, with those before a continue-as-new from its input", async () => {
    const retrying = { ...plan, activity: { failureRate: 0.5, retries: 3 } };
    const whole = optionsFor(clientOf([FAILED, FAILED].map(historyOf)), 2, [0, 1]);
    expect(await countIrregularActions({ ...whole, plan: retrying })).toEqual({
      instances: 2,
      actions: 6,
      measured: 6,
    });
    const continued = { ...FAILED, before: EVERY, retriesBefore: 2 };
    const carried = optionsFor(clientOf([historyOf(continued)]), 1, [0]);
    expect(await countIrregularActions({ ...carried, plan: retrying })).toEqual({
      instances: 1,
      actions: costOf(continued),
      measured: costOf(continued),
    });
    const uncarried = optionsFor(clientOf([historyOf({ ...continued, retriesBefore: undefined })]), 1, [0]);
    expect(await countIrregularActions({ ...uncarried, plan: retrying })).toMatchObject({
      missing: "the worker did not carry the retries before a continue-as-new of 1 orchestration",
    });
  });

  test("are incomplete if an orchestration continues or is gone; a start that was never accepted costs nothing", async () => {
    const unfinished = historyOf(FAILED).slice(0, -1);
    const options = optionsFor(clientOf([unfinished, [], historyOf(FAILED), []]), 3);
    expect(await countIrregularActions({ ...options, unanswered: new Set([3]) })).toEqual({
      instances: 4,
      actions: 6,
      measured: 6,
      missing: "1 orchestration had not ended, 1 orchestration no longer had a history",
    });
  });

  test("are not read beyond a number, a time, or an amount of bytes", async () => {
    expect((await countIrregularActions(optionsFor(fakeClient({}), 50_001))).missing).toBe(
      "50,001 histories would have to be read",
    );
    const slow = fakeClient({
      historyOf: (_, { signal } = {}) =>
        new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason as Error))),
    });
    expect((await countIrregularActions({ ...optionsFor(slow, 30), patienceMs: 1 })).missing).toBe(
      "0 of 30 histories were read: it took longer than 1 ms",
    );
    const large = fakeClient({
      historyOf: (_, { signal, onBytes } = {}) => {
        onBytes?.(400_000_000);
        return signal?.aborted === true
          ? Promise.reject(signal.reason as Error)
          : Promise.resolve({ events: { ExecutionStarted: 1, ExecutionCompleted: 1 }, input: undefined });
      },
    });
    expect(await countIrregularActions(optionsFor(large, 30))).toEqual({
      instances: 30,
      actions: 2,
      measured: 2,
      missing: "2 of 30 histories were read: the histories are more than 1 GB together",
    });
  });

  test("are incomplete if the backend fails, or if the run is interrupted", async () => {
    const failing = fakeClient({ historyOf: () => Promise.reject(new Error("the disk is gone")) });
    expect((await countIrregularActions(optionsFor(failing, 3))).missing).toBe(
      "0 of 3 histories were read: the disk is gone",
    );
    const ctrlC = new AbortController();
    const interrupted = fakeClient({
      historyOf: (_, { signal } = {}) => {
        ctrlC.abort();
        return Promise.reject(signal!.reason as Error);
      },
    });
    const options = optionsFor(interrupted, 3);
    expect((await countIrregularActions({ ...options, interruption: ctrlC.signal })).missing).toBe(
      "0 of 3 histories were read: the reading was interrupted",
    );
  });
});
