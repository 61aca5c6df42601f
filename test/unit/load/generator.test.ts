import { describe, expect, test } from "vitest";
import type { InstanceState, OrchestrationClient } from "../../../src/backend/orchestration-client.js";
import { UnansweredStart } from "../../../src/backend/unanswered-start.js";
import { Generator, type GeneratorOptions } from "../../../src/load/generator.js";
import type { Completion, Start } from "../../../src/stats/completion.js";
import { completedState, fakeClient, untilAborted } from "../../support/load/fake-backend.js";
import { VirtualTime } from "../../support/load/virtual-time.js";

const RUN_ID = "r0123456789ab";
const once = (parallelOrchestrations: number) => ({ load: { kind: "once" } as const, parallelOrchestrations, seed: 0 });

function harness(
  plan: GeneratorOptions["plan"],
  client: Partial<OrchestrationClient>,
  untilEnded: (instanceId: string, signal: AbortSignal) => Promise<InstanceState | undefined>,
) {
  const time = new VirtualTime();
  const stopStarting = new AbortController();
  const stopRepeating = new AbortController();
  const stopWaiting = new AbortController();
  const sent: Start[] = [];
  const answered: Start[] = [];
  const found: Start[] = [];
  const completions: Completion[] = [];
  const generator = new Generator({
    client: fakeClient(client),
    watch: { untilEnded: (instanceId) => untilEnded(instanceId, stopWaiting.signal) },
    runId: RUN_ID,
    plan,
    orchestration: {
      startOf: (sequence) => {
        return { name: "FanOutFanInOrchestration", version: undefined, tags: undefined, input: { sequence } };
      },
      activities: 50,
    },
    isTraced: () => false,
    clock: time.clock,
    wait: time.wait,
    stopStarting: stopStarting.signal,
    stopRepeating: stopRepeating.signal,
    stopWaiting: stopWaiting.signal,
    onSend: (start) => sent.push(start),
    onAnswer: (start) => answered.push(start),
    onFound: (start) => found.push(start),
    onCompletion: (completion) => completions.push(completion),
  });
  return { generator, time, sent, answered, found, completions, stopStarting, stopRepeating, stopWaiting };
}

const accept = { startInstance: () => Promise.resolve() };
const lost = () => Promise.reject(new UnansweredStart("took too long"));
const endAtOnce = (instanceId: string) => Promise.resolve(completedState(instanceId, 50));

describe("a generator that starts all at once", () => {
  test("starts all with ids of the run, and follows each to its end", async () => {
    const { generator, sent, answered, completions } = harness(once(250), accept, endAtOnce);
    await generator.run(0);
    expect(new Set(sent.map(({ instanceId }) => instanceId)).size).toBe(250);
    expect(sent.every(({ instanceId }) => instanceId.startsWith(`${RUN_ID}-`))).toBe(true);
    expect(sent.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 250 }, (_, index) => index));
    expect(answered).toHaveLength(250);
    expect(completions).toHaveLength(250);
    expect(completions.every(({ outcome }) => outcome === "completed")).toBe(true);
    expect(generator.inFlight.size).toBe(0);
  });

  test("keeps at most a hundred starts outstanding", async () => {
    let outstanding = 0;
    let most = 0;
    const startInstance = async (): Promise<void> => {
      outstanding += 1;
      most = Math.max(most, outstanding);
      await Promise.resolve();
      outstanding -= 1;
    };
    const { generator } = harness(once(500), { startInstance }, endAtOnce);
    await generator.run(0);
    expect(most).toBe(100);
  });

  test("orders the times of a completion: intended, sent, accepted, noticed", async () => {
    const { generator, time, completions } = harness(once(3), { startInstance: () => time.after(5) }, (instanceId) =>
      time.after(20).then(() => completedState(instanceId, 50)),
    );
    const run = generator.run(0);
    await time.runUntil(100);
    await run;
    expect(completions).toHaveLength(3);
    for (const { start, noticedMs } of completions) {
      expect(start).toMatchObject({ intendedMs: 0, sentMs: 0, acceptedMs: 5, heldBack: false });
      expect(noticedMs).toBe(25);
    }
  });

  test("counts an instance that lost activities as failed", async () => {
    const { generator, completions } = harness(once(1), accept, (instanceId) =>
      Promise.resolve(completedState(instanceId, 49)),
    );
    await generator.run(0);
    expect(completions[0]).toMatchObject({ outcome: "failed", failure: { type: "LostActivities" } });
  });

  test("counts a refused start as failed, with the reason", async () => {
    const refuse = { startInstance: () => Promise.reject(new Error("7 PERMISSION_DENIED")) };
    const { generator, answered, completions } = harness(once(1), refuse, endAtOnce);
    await generator.run(0);
    expect(answered).toHaveLength(1);
    expect(completions[0]?.refused).toBe(true);
    expect(completions[0]?.failure).toEqual({ type: "StartRefused", message: "7 PERMISSION_DENIED" });
  });

  describe("whose start is not answered", () => {
    test("asks for it again until it finds it, and counts from when it was due", async () => {
      const asked: (boolean | undefined)[] = [];
      const startInstance: OrchestrationClient["startInstance"] = (_, options) =>
        asked.push(options?.again) < 4 ? lost() : Promise.resolve();
      const { generator, time, answered, found, completions } = harness(once(1), { startInstance }, endAtOnce);
      const run = generator.run(0);
      await generator.allStarted;
      expect([...generator.inFlight]).toEqual([`${RUN_ID}-00000-000`]);
      expect([...generator.unanswered]).toEqual([0]);
      await time.runUntil(3_500);
      await run;
      // Half a second, one and two behind it.
      expect(time.clock()).toBe(3_500);
      expect(asked).toEqual([false, true, true, true]);
      expect(answered).toEqual([]);
      expect(found).toMatchObject([{ sequence: 0 }]);
      expect(completions).toMatchObject([{ outcome: "completed", start: { intendedMs: 0, acceptedMs: undefined } }]);
      expect([generator.inFlight.size, generator.unanswered.size]).toEqual([0, 0]);
    });

    test("counts it as refused if it is refused in the end", async () => {
      let first = true;
      const startInstance = () => {
        if (!first) return Promise.reject(new Error("7 PERMISSION_DENIED"));
        first = false;
        return lost();
      };
      const { generator, time, completions } = harness(once(1), { startInstance }, endAtOnce);
      const run = generator.run(0);
      await time.runUntil(1_000);
      await run;
      expect(completions).toMatchObject([{ failure: { type: "StartRefused", message: "7 PERMISSION_DENIED" } }]);
      expect([generator.inFlight.size, generator.unanswered.size]).toEqual([0, 0]);
    });

    test("goes on asking when no more starts are wanted", async () => {
      let asked = 0;
      const startInstance = () => (++asked < 3 ? lost() : Promise.resolve());
      const { generator, time, completions, stopStarting } = harness(once(1), { startInstance }, endAtOnce);
      const run = generator.run(0);
      await time.runUntil(600);
      stopStarting.abort();
      await time.runUntil(3_000);
      await run;
      expect(completions).toMatchObject([{ outcome: "completed" }]);
      expect([generator.inFlight.size, generator.unanswered.size]).toEqual([0, 0]);
    });

    test("lists it as unanswered after it was told to stop", async () => {
      const client = { startInstance: lost };
      const { generator, time, completions, stopRepeating } = harness(once(2), client, endAtOnce);
      const run = generator.run(0);
      await time.runUntil(60_000);
      stopRepeating.abort();
      await run;
      expect(completions).toEqual([]);
      expect([...generator.unanswered]).toEqual([0, 1]);
      expect(generator.inFlight.size).toBe(2);
    });
  });

  test("sends no start after it was told to stop, and still follows those it sent", async () => {
    const { generator, sent, completions, stopStarting } = harness(
      once(1_000),
      {
        startInstance: () => {
          stopStarting.abort();
          return Promise.resolve();
        },
      },
      endAtOnce,
    );
    await generator.run(0);
    expect(sent.length).toBeLessThanOrEqual(100);
    expect(completions).toHaveLength(sent.length);
  });

  test("leaves instances unfinished that have not ended when it stops waiting", async () => {
    const { generator, sent, completions, stopWaiting } = harness(once(5), accept, (_, signal) => untilAborted(signal));
    const running = generator.run(0);
    await generator.allStarted;
    stopWaiting.abort();
    await running;
    expect(sent).toHaveLength(5);
    expect(completions).toHaveLength(0);
    expect(generator.inFlight.size).toBe(5);
  });

  test("fails an instance if its end cannot be read", async () => {
    const { generator, completions } = harness(once(1), accept, () => Promise.reject(new Error("12 UNIMPLEMENTED")));
    await generator.run(0);
    expect(completions[0]?.failure).toEqual({ type: "WaitFailed", message: "12 UNIMPLEMENTED" });
  });
});

const closed = (load: { durationMs?: number; total?: number }, lanes: number, warmupMs = 0) => ({
  load: { kind: "closed", ...load } as const,
  parallelOrchestrations: lanes,
  warmupMs,
  seed: 0,
});

const open = (perSecond: number, lengthMs: number, maxInFlight = 1_000) => ({
  load: {
    kind: "open",
    arrival: "constant",
    stages: [{ fromPerSecond: perSecond, toPerSecond: perSecond, lengthMs }],
    maxInFlight,
  } as const,
  seed: 0,
});

describe("a generator of closed load", () => {
  test("starts the next when one has ended, until the time is over", async () => {
    const { generator, time, sent, completions } = harness(closed({ durationMs: 100 }, 2), accept, (instanceId) =>
      time.after(30).then(() => completedState(instanceId, 50)),
    );
    const run = generator.run(0);
    await time.runUntil(500);
    await run;
    // In each of two lanes at 0, 30, 60 and 90 ms; the last ones end behind the time.
    expect(sent.map(({ intendedMs }) => intendedMs)).toEqual([0, 0, 30, 30, 60, 60, 90, 90]);
    expect(completions).toHaveLength(8);
    expect(Math.max(...completions.map(({ noticedMs }) => noticedMs))).toBe(120);
  });

  test("has no more starts due once the time is over, while the last ones are still in flight", async () => {
    const { generator, time } = harness(closed({ durationMs: 100 }, 1), accept, (_, signal) => untilAborted(signal));
    void generator.run(0);
    let allStarted = false;
    void generator.allStarted.then(() => (allStarted = true));
    await time.runUntil(99);
    expect(allStarted).toBe(false);
    await time.runUntil(101);
    expect(allStarted).toBe(true);
    expect(generator.inFlight.size).toBe(1);
  });

  test("adds the warm-up to the time", async () => {
    const { generator, time, sent } = harness(closed({ durationMs: 100 }, 1, 50), accept, (instanceId) =>
      time.after(40).then(() => completedState(instanceId, 50)),
    );
    const run = generator.run(0);
    await time.runUntil(500);
    await run;
    expect(sent.map(({ intendedMs }) => intendedMs)).toEqual([0, 40, 80, 120]);
  });

  test.each([1, 3, 10, 250])("starts a total of 10 with at most %d in flight", async (lanes) => {
    let inFlight = 0;
    let most = 0;
    const { generator, time, sent } = harness(closed({ total: 10 }, lanes), accept, async (instanceId) => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      await time.after(10);
      inFlight -= 1;
      return completedState(instanceId, 50);
    });
    const run = generator.run(0);
    await time.runUntil(1_000);
    await run;
    expect(sent).toHaveLength(10);
    expect(most).toBe(Math.min(lanes, 10));
  });

  test("does not spin if every start is refused", async () => {
    const refuse = { startInstance: () => Promise.reject(new Error("8 RESOURCE_EXHAUSTED")) };
    const { generator, time, sent } = harness(closed({ durationMs: 1_000 }, 1), refuse, endAtOnce);
    const run = generator.run(0);
    await time.runUntil(2_000);
    await run;
    expect(sent).toHaveLength(10);
  });
});

describe("a generator of open load", () => {
  test("starts by the schedule, whatever the number in flight", async () => {
    const { generator, time, sent, stopWaiting } = harness(open(100, 1_000), accept, (_, signal) =>
      untilAborted(signal),
    );
    const run = generator.run(0);
    await time.runUntil(2_000);
    expect(sent).toHaveLength(100);
    for (const { intendedMs, sentMs, heldBack } of sent) {
      expect(sentMs - intendedMs).toBeLessThan(1);
      expect(heldBack).toBe(false);
    }
    expect(generator.inFlight.size).toBe(100);
    stopWaiting.abort();
    await run;
  });

  test("gives a shard's start the input of its number in the whole run, also after starts that were held back", async () => {
    const inputs = new Map<string, unknown>();
    const startInstance: OrchestrationClient["startInstance"] = ({ instanceId, input }) => {
      inputs.set(instanceId, input);
      return Promise.resolve();
    };
    const plan = { ...open(100, 1_000, 3), shard: { number: 2, of: 3 } };
    const { generator, time, sent } = harness(plan, { startInstance }, (instanceId) =>
      time.after(150).then(() => completedState(instanceId, 50)),
    );
    const run = generator.run(0);
    await time.runUntil(10_000);
    await run;
    expect(sent.some(({ heldBack }) => heldBack)).toBe(true);
    expect(sent.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 33 }, (_, start) => 3 * start + 1));
    for (const { instanceId, sequence } of sent) expect(inputs.get(instanceId)).toEqual({ sequence });
  });

  test("continues while a start is not answered", async () => {
    let first = true;
    const startInstance = (): Promise<void> => {
      if (!first) return Promise.resolve();
      first = false;
      return time.after(700);
    };
    const { generator, time, sent, completions } = harness(open(10, 1_000), { startInstance }, endAtOnce);
    const run = generator.run(0);
    await time.runUntil(650);
    expect(sent).toHaveLength(7);
    expect(completions).toHaveLength(6);
    await time.runUntil(1_000);
    await run;
    expect(completions).toHaveLength(10);
  });

  test("holds starts back at the cap, and keeps their due times", async () => {
    const { generator, time, sent } = harness(open(100, 100, 2), accept, (instanceId) =>
      time.after(50).then(() => completedState(instanceId, 50)),
    );
    const run = generator.run(0);
    await time.runUntil(1_000);
    await run;
    expect(sent.map(({ intendedMs }) => Math.round(intendedMs))).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
    expect(sent.map(({ heldBack }) => heldBack)).toEqual([false, false, ...Array.from({ length: 8 }, () => true)]);
    expect(sent.map(({ sentMs }) => sentMs)).toEqual([0, 10, 50, 60, 100, 110, 150, 160, 200, 210]);
  });

  test("sends nothing after it was told to stop, not even held-back starts", async () => {
    const { generator, time, sent, stopStarting, stopWaiting } = harness(open(100, 1_000, 1), accept, (_, signal) =>
      untilAborted(signal),
    );
    const run = generator.run(0);
    await time.runUntil(100);
    stopStarting.abort();
    await generator.allStarted;
    expect(sent).toHaveLength(1);
    stopWaiting.abort();
    await run;
  });
});
