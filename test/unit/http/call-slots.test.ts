import { describe, expect, test } from "vitest";
import { CallSlots } from "../../../src/http/call-slots.js";

const never = new AbortController().signal;

/** A call that ends when the test says so. */
function call(): { readonly make: () => Promise<string>; readonly end: (text: string) => void; made: boolean } {
  const { promise, resolve } = Promise.withResolvers<string>();
  const made = {
    made: false,
    end: resolve,
    make: () => {
      made.made = true;
      return promise;
    },
  };
  return made;
}

describe("of two slots", () => {
  test("a third call waits until one has ended, and in turn", async () => {
    const slots = new CallSlots(2);
    const calls = [call(), call(), call(), call()];
    const answers = calls.map(({ make }) => slots.use(never, make));
    await Promise.resolve();
    expect(calls.map(({ made }) => made)).toEqual([true, true, false, false]);
    calls[1]?.end("second");
    expect(await answers[1]).toBe("second");
    await expect.poll(() => calls.map(({ made }) => made)).toEqual([true, true, true, false]);
    for (const { end } of calls) end("x");
    expect(await Promise.all(answers)).toEqual(["x", "second", "x", "x"]);
  });

  test("one that fails is free again", async () => {
    const slots = new CallSlots(1);
    await expect(slots.use(never, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await slots.use(never, () => Promise.resolve(1))).toBe(1);
  });
});

describe("an abort", () => {
  test("ends the wait for a slot, which goes to the next", async () => {
    const slots = new CallSlots(1);
    const first = call();
    const abort = new AbortController();
    const reason = new Error("enough");
    const holding = slots.use(never, first.make);
    const waiting = slots.use(abort.signal, () => Promise.resolve("aborted"));
    const next = slots.use(never, () => Promise.resolve("next"));
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    first.end("first");
    expect(await Promise.all([holding, next])).toEqual(["first", "next"]);
  });

  test("in the turn in which the slot was handed over does not lose it", async () => {
    const slots = new CallSlots(1);
    const first = call();
    const abort = new AbortController();
    const holding = slots.use(never, first.make);
    const waiting = slots.use(abort.signal, () => Promise.resolve("aborted"));
    first.end("first");
    await holding;
    abort.abort(new Error("enough"));
    await waiting.catch(() => {});
    expect(await slots.use(never, () => Promise.resolve("free"))).toBe("free");
  });

  test("ends the wait for a call, whose slot stays taken until it has ended", async () => {
    const slots = new CallSlots(1);
    const slow = call();
    const abort = new AbortController();
    const reason = new Error("enough");
    const waiting = slots.use(abort.signal, slow.make);
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    const next = call();
    const answer = slots.use(never, next.make);
    await Promise.resolve();
    expect(next.made).toBe(false);
    slow.end("late");
    next.end("next");
    expect(await answer).toBe("next");
  });

  test("before it makes no call", async () => {
    const reason = new Error("enough");
    const unmade = call();
    await expect(new CallSlots(1).use(AbortSignal.abort(reason), unmade.make)).rejects.toBe(reason);
    expect(unmade.made).toBe(false);
  });
});
