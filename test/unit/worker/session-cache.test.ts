import * as fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { ExtendedSession } from "../../../src/worker/extended-session.js";
import { ExtendedSessions } from "../../../src/worker/session-cache.js";
import { SdkExecution } from "../../../src/worker/sdk-execution.js";
import { TimeSlice } from "../../../src/worker/time-slice.js";

/** A session that has processed one event of so many bytes. */
function sessionOf(bytes: number): ExtendedSession {
  const session = new ExtendedSession("execution", new SdkExecution({}, new TimeSlice()), false);
  const framed = new Uint8Array(bytes);
  framed.set([0x22, bytes - 2]);
  session.record(framed, 0);
  return session;
}

function sessionsOf(limits: Partial<ConstructorParameters<typeof ExtendedSessions>[0]> = {}): ExtendedSessions {
  return new ExtendedSessions({ sessions: 10, bytes: 1e6, idleMs: 60_000, ...limits });
}

test("a session is taken out once, and kept again", () => {
  const sessions = sessionsOf();
  const session = sessionOf(10);
  expect(sessions.begin("a")).toBeUndefined();
  sessions.end("a", "1", session);
  expect(sessions.begin("b")).toBeUndefined();
  expect(sessions.begin("a")).toBe(session);
  sessions.end("a", "2", undefined);
  expect(sessions.begin("a")).toBeUndefined();
});

test("of two episodes at a time neither session is kept, and that of the next one is", () => {
  const sessions = sessionsOf();
  sessions.begin("a");
  sessions.begin("a");
  sessions.end("a", "1", sessionOf(10));
  sessions.end("a", "2", sessionOf(10));
  expect(sessions.size).toBe(0);
  sessions.begin("a");
  sessions.end("a", "3", sessionOf(10));
  expect(sessions.size).toBe(1);
});

test("a session is dropped by the token of its last episode, and by no other", () => {
  const sessions = sessionsOf();
  sessions.begin("a");
  sessions.end("a", "1", sessionOf(10));
  sessions.drop("a", "0");
  sessions.drop("b", "1");
  expect(sessions.size).toBe(1);
  sessions.drop("a", "1");
  expect(sessions.size).toBe(0);
});

test("an idle session is dropped without another call", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const sessions = sessionsOf({ idleMs: 1_000 });
  sessions.begin("a");
  sessions.end("a", "1", sessionOf(10));
  vi.advanceTimersByTime(999);
  expect(sessions.size).toBe(1);
  vi.advanceTimersByTime(1_001);
  expect(sessions.size).toBe(0);
});

test("it holds the last used ones that its bounds have room for", () => {
  const use = fc.record({ id: fc.constantFrom("a", "b", "c", "d", "e"), bytes: fc.integer({ min: 10, max: 100 }) });
  fc.assert(
    fc.property(fc.array(use, { maxLength: 40 }), (uses) => {
      const bytes = sessionOf(100).weight * 2;
      const sessions = sessionsOf({ sessions: 3, bytes });
      let model: { id: string; session: ExtendedSession }[] = [];
      const weight = (): number => model.reduce((sum, { session }) => sum + session.weight, 0);
      for (const { id, bytes: size } of uses) {
        expect(sessions.begin(id)).toBe(model.find((entry) => entry.id === id)?.session);
        const session = sessionOf(size);
        sessions.end(id, "token", session);
        model = [...model.filter((entry) => entry.id !== id), { id, session }];
        while (model.length > 3 || weight() > bytes) model.shift();

        expect(sessions.size).toBe(model.length);
      }
    }),
  );
});
