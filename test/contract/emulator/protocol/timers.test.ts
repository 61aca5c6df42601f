import { HistoryEventType, whenAll, whenAny, type OrchestrationContext, type Task } from "@microsoft/durabletask-js";
import { expect, test } from "vitest";
import { ProtocolHub, WITH_AND_WITHOUT_RESTART, type Steps } from "../../../support/emulator/protocol-hub.js";

const hub = ProtocolHub.forEachTest();

async function* sleeps(context: OrchestrationContext, fireAtMs: number): Steps {
  yield context.createTimer(new Date(fireAtMs));
  return context.currentUtcDateTime.getTime();
}

async function* sleepsInTurn(context: OrchestrationContext, delaysMs: readonly number[]): Steps {
  for (const delayMs of delaysMs) yield context.createTimer(delayMs / 1000);

  return "woken";
}

/** Its output is the order in which the timers fire. */
async function* races(context: OrchestrationContext, delaysMs: readonly number[]): Steps {
  const waiting = new Map<Task<unknown>, number>(
    delaysMs.map((delayMs) => [context.createTimer(delayMs / 1000), delayMs]),
  );
  const order: unknown[] = [];
  while (waiting.size > 0) {
    const first = (yield whenAny([...waiting.keys()])) as Task<unknown>;
    order.push(waiting.get(first));
    waiting.delete(first);
  }
  return order;
}

async function* sleepsTogether(context: OrchestrationContext, { count, delayMs }: Together): Steps {
  yield whenAll(Array.from({ length: count }, () => context.createTimer(delayMs / 1000)));
  return count;
}

interface Together {
  readonly count: number;
  readonly delayMs: number;
}

async function* waitsWithTimeout(context: OrchestrationContext, timeoutMs: number): Steps {
  const event = context.waitForExternalEvent("go");
  const winner = yield whenAny([event, context.createTimer(timeoutMs / 1000)]);
  return winner === event ? event.getResult() : "timed out";
}

const begins = (context: OrchestrationContext): number => context.currentUtcDateTime.getTime();

const work = {
  orchestrators: { sleeps, sleepsInTurn, races, sleepsTogether, waitsWithTimeout, begins },
};

test.each(WITH_AND_WITHOUT_RESTART)("a timer fires when it is due, not before%s", async (_, restarts) => {
  await hub.worker(work);
  const dueMs = Date.now() + 300;
  await hub.client.scheduleNewOrchestration("sleeps", dueMs, "instance");
  await hub.begun("instance");
  if (restarts) await hub.restart(work);
  const { output } = await hub.end("instance");
  expect(output).toBeGreaterThanOrEqual(dueMs);
});

test("a timer that has come due while no emulator ran fires as soon as one does", async () => {
  await hub.worker(work);
  const dueMs = Date.now() + 50;
  await hub.client.scheduleNewOrchestration("sleeps", dueMs, "instance");
  await hub.begun("instance");
  await hub.restartAfter(() => expect.poll(() => Date.now()).toBeGreaterThan(dueMs));
  await hub.worker(work);
  expect(await hub.end("instance")).toMatchObject({ status: "COMPLETED" });
  expect(await hub.count("instance", HistoryEventType.TimerFired)).toBe(1);
});

test("a timer that is due already fires at once", async () => {
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("sleeps", Date.now() - 60_000, "instance");
  expect(await hub.end("instance")).toMatchObject({ status: "COMPLETED" });
});

test.each(WITH_AND_WITHOUT_RESTART)("a timer of years keeps its orchestration waiting%s", async (_, restarts) => {
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("sleeps", Date.now() + 2 * 365 * 86_400_000, "instance");
  await hub.begun("instance");
  if (restarts) await hub.restart(work);
  await hub.passed();
  expect(await hub.status("instance")).toBe("RUNNING");
  expect(await hub.count("instance", HistoryEventType.TimerFired)).toBe(0);
});

test("timers of one episode fire in the order in which they are due", async () => {
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("races", [240, 80, 160, 0], "instance");
  expect(await hub.end("instance")).toMatchObject({ output: [0, 80, 160, 240] });
});

test("timers that are due already fire in the order in which they were due", async () => {
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("races", [-100, -300, -200, -400], "instance");
  expect(await hub.end("instance")).toMatchObject({ output: [-400, -300, -200, -100] });
});

test("a hundred timers that are due together fire once each", async () => {
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("sleepsTogether", { count: 100, delayMs: 50 }, "instance");
  expect(await hub.end("instance")).toMatchObject({ output: 100 });
  expect(await hub.count("instance", HistoryEventType.TimerFired)).toBe(100);
});

test("timers follow one another", async () => {
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("sleepsInTurn", [1, 2, 3, 4, 5], "instance");
  expect(await hub.end("instance")).toMatchObject({ output: "woken" });
});

test("a timer is a timeout for an event", async () => {
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("waitsWithTimeout", 50, "late");
  await hub.client.scheduleNewOrchestration("waitsWithTimeout", 3_600_000, "intime");
  await hub.client.raiseOrchestrationEvent("intime", "go", "came");
  expect(await hub.end("late")).toMatchObject({ output: "timed out" });
  expect(await hub.end("intime")).toMatchObject({ output: "came" });
});

test.each(WITH_AND_WITHOUT_RESTART)("a scheduled start is when it was scheduled for%s", async (_, restarts) => {
  await hub.worker(work);
  const startAt = new Date(Date.now() + 300);
  await hub.client.scheduleNewOrchestration("begins", undefined, { instanceId: "instance", startAt });
  if (restarts) await hub.restart(work);
  const { output } = await hub.end("instance");
  expect(output).toBeGreaterThanOrEqual(startAt.getTime());
});

test.each(WITH_AND_WITHOUT_RESTART)("what is scheduled for later is pending until then%s", async (_, restarts) => {
  await hub.worker(work);
  const startAt = new Date(Date.now() + 3_600_000);
  await hub.client.scheduleNewOrchestration("begins", undefined, { instanceId: "instance", startAt });
  if (restarts) await hub.restart(work);
  await hub.passed();
  expect(await hub.status("instance")).toBe("PENDING");
});

test("a start that was scheduled for the past is at once", async () => {
  await hub.worker(work);
  const startAt = new Date(Date.now() - 60_000);
  await hub.client.scheduleNewOrchestration("begins", undefined, { instanceId: "instance", startAt });
  expect(await hub.end("instance")).toMatchObject({ status: "COMPLETED" });
});
