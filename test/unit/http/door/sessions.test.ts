import { expect, test } from "vitest";
import { SESSION_SECONDS, Sessions } from "../../../../src/http/door/sessions.js";

test("a session lasts for its time, or until it is closed", () => {
  let nowMs = 0;
  const sessions = new Sessions(() => nowMs);
  const [first, second] = [sessions.open(), sessions.open()];
  expect(first).toMatch(/^[\w-]{43}$/u);
  expect(first).not.toBe(second);
  const [expiring, closing] = [sessions.find(first), sessions.find(second)];
  sessions.close(second);
  expect(closing).toMatchObject({ isOpen: false, closed: { aborted: true } });
  nowMs = SESSION_SECONDS * 1_000 - 1;
  expect([first, second, "", "x"].map((token) => sessions.find(token))).toEqual([
    expiring,
    undefined,
    undefined,
    undefined,
  ]);
  expect(expiring?.isOpen).toBe(true);
  nowMs += 1;
  expect(sessions.find(first)).toBeUndefined();
  expect(expiring?.isOpen).toBe(false);
});

test("beyond the most sessions, the oldest goes", () => {
  const sessions = new Sessions(() => 0, 3);
  const opened = Array.from({ length: 5 }, () => sessions.find(sessions.open()));
  expect(opened.map((session) => session?.isOpen)).toEqual([false, false, true, true, true]);
});
