import { expect, test } from "vitest";
import { LeftWork } from "../../../src/load/left-work.js";
import { fakeBackend, fakeClient } from "../../support/load/fake-backend.js";

const plan = {
  iterations: 1,
  parallelActivities: 1,
  parallelOrchestrations: 3,
  load: { kind: "once" },
  workers: "auto",
  timeoutMs: 1_000,
  seed: 0,
  tags: {},
  traceShare: 0,
} as unknown as ConstructorParameters<typeof LeftWork>[0]["plan"];

/** An interrupted run with two orchestrations in flight and one start that is not answered. */
function interrupted({ isAnswered }: { readonly isAnswered: boolean }) {
  const inFlight = new Set(["a", "b"]);
  const batches: (readonly string[])[] = [];
  const lines: string[] = [];
  const allStarted = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  let waiting = 1;
  const client = fakeClient({
    terminateBatch: (ids) => {
      batches.push(ids);
      for (const id of ids) inFlight.delete(id);
      if (isAnswered && waiting === 1) {
        waiting = 0;
        inFlight.add("late");
        allStarted.resolve();
      } else if (waiting === 0) {
        ended.resolve();
      }
      return Promise.resolve([]);
    },
  });
  const work = new LeftWork({
    backend: fakeBackend({ client }),
    runId: "r0123456789ab",
    plan,
    inFlight,
    waitingForAnswer: () => waiting,
    leave: false,
    patience: isAnswered ? { answersMs: 10, terminateMs: 60_000 } : { answersMs: 1, terminateMs: 50 },
    onLine: (line) => lines.push(line),
  });
  return { done: work.afterInterruption(allStarted.promise, ended.promise), batches, lines };
}

test("an interruption terminates what is in flight while a start is not answered, and that one when it is", async () => {
  const { done, batches, lines } = interrupted({ isAnswered: true });
  await done;
  expect(batches).toEqual([["a", "b"], ["late"]]);
  expect(lines).toEqual(["interrupted: terminating 2 orchestrations in flight; press Ctrl-C again to exit now"]);
});

test("a start that is not answered in time is told", async () => {
  const { done, batches, lines } = interrupted({ isAnswered: false });
  await done;
  expect(batches).toEqual([["a", "b"]]);
  expect(lines[1]).toContain(
    "not all could be terminated in time, 0 orchestrations in flight and 1 start without an answer",
  );
});
