import { expect, test } from "vitest";
import { LoginBrake } from "../../../../src/http/door/login-brake.js";

function braked(mostAddresses?: number) {
  const clock = { nowMs: 0 };
  const brake = new LoginBrake(() => clock.nowMs, mostAddresses);
  const isTaken = (ip: string): boolean => !("waitSeconds" in brake.attempt(ip));
  return { clock, brake, isTaken, taken: (ips: readonly string[]) => ips.filter(isTaken).length };
}

const many = (count: number, ipOf: (index: number) => string): readonly string[] =>
  Array.from({ length: count }, (_, index) => ipOf(index));

test("an address has five wrong keys, then one every five seconds, and others are not slowed", () => {
  const { clock, brake, taken, isTaken } = braked();
  expect(taken(many(20, () => "10.0.0.1"))).toBe(5);
  expect(brake.attempt("10.0.0.1")).toEqual({ waitSeconds: 5 });
  expect(isTaken("10.0.0.2")).toBe(true);
  clock.nowMs = 4_999;
  expect(isTaken("10.0.0.1")).toBe(false);
  clock.nowMs = 5_000;
  expect(taken(["10.0.0.1", "10.0.0.1"])).toBe(1);
});

test("the right key forgets the wrong ones before it", () => {
  const { brake, taken } = braked();
  expect(taken(many(4, () => "10.0.0.1"))).toBe(4);
  const attempt = brake.attempt("10.0.0.1");
  if ("succeeded" in attempt) attempt.succeeded();
  expect(taken(many(9, () => "10.0.0.1"))).toBe(5);
});

test("all addresses together are slowed, and those that have sent no wrong key do not wait for those that have", () => {
  const { clock, taken, isTaken } = braked();
  const guessing = many(50, (index) => `10.0.0.${index}`);
  expect(taken(guessing)).toBe(50);
  expect(taken(many(100, (index) => `10.0.1.${index}`))).toBe(0);
  clock.nowMs = 60_000;
  expect(taken([...guessing, ...guessing, ...guessing])).toBe(50);
  expect(isTaken("10.9.9.9")).toBe(true);
  clock.nowMs = 61_000;
  expect(taken(guessing)).toBe(5);
});

test("all addresses of an IPv6 network of 64 bits are one", () => {
  const { taken } = braked();
  expect(taken(many(9, (index) => `2001:db8::${index + 1}`))).toBe(5);
  expect(taken(["2001:db8:0:0:1:2:3:4"])).toBe(0);
  expect(taken(["2001:db8:0:1::1", "::1", "::ffff:10.0.0.1", "::ffff:10.0.0.2"])).toBe(4);
});

test("it keeps a bounded number of addresses, the ones that failed last", () => {
  const { clock, taken } = braked(2);
  expect(taken(["a", "a", "b", "c"])).toBe(4);
  clock.nowMs = 1;
  expect(taken(many(9, () => "a"))).toBe(5);
});
