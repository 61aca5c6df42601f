import { expect, test } from "vitest";
import { SESSION_SECONDS, Sessions } from "../../../../src/http/door/sessions.js";

test("a session lasts for its time, or until it is closed", () => {
  let nowMs = 0;
  const sessions = new Sessions(() => nowMs);
  const [first, second] = [sessions.open(), sessions.open()];
  expect(first).toMatch(/^[\w-]{43}$/u);
  expect(first).not.toBe(second);
  sessions.close(second);
  nowMs = SESSION_SECONDS * 1_000 - 1;
  expect([first, second, "", "x"].map((token) => sessions.has(token))).toEqual([true, false, false, false]);
  nowMs += 1;
  expect(sessions.has(first)).toBe(false);
});

test("beyond the most sessions, the oldest goes", () => {
  const sessions = new Sessions(() => 0, 3);
  const tokens = Array.from({ length: 5 }, () => sessions.open());
  expect(tokens.map((token) => sessions.has(token))).toEqual([false, false, true, true, true]);
});
