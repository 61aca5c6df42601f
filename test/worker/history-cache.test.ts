import * as fc from "fast-check";
import { expect, test } from "vitest";
import { HistoryCache } from "../../src/worker/history-cache.js";
import { KnownHistory } from "../../src/worker/known-history.js";

/** A history of so many bytes, as one event that nobody has decoded. */
function historyOf(bytes: number): KnownHistory {
  const history = new KnownHistory("execution");
  const framed = new Uint8Array(bytes);
  framed.set([0x22, bytes - 2]);
  history.append(framed, []);
  return history;
}

test("a history is taken out once, and can be put back", () => {
  const cache = new HistoryCache();
  const history = historyOf(10);
  cache.put("a", history);
  expect(cache.take("b")).toBeUndefined();
  expect(cache.take("a")).toBe(history);
  expect(cache.take("a")).toBeUndefined();
  cache.put("a", history);
  expect(cache.take("a")).toBe(history);
});

test("it holds the last used ones that its bounds have room for", () => {
  const use = fc.record({ id: fc.constantFrom("a", "b", "c", "d", "e"), bytes: fc.integer({ min: 10, max: 100 }) });
  fc.assert(
    fc.property(fc.array(use, { maxLength: 40 }), (uses) => {
      const mostBytes = historyOf(100).weight * 2;
      const cache = new HistoryCache(3, mostBytes);
      let model: { id: string; history: KnownHistory }[] = [];
      const weight = (): number => model.reduce((sum, { history }) => sum + history.weight, 0);
      for (const { id, bytes } of uses) {
        const taken = cache.take(id);
        expect(taken).toBe(model.find((entry) => entry.id === id)?.history);
        const history = historyOf(bytes);
        cache.put(id, history);
        model = [...model.filter((entry) => entry.id !== id), { id, history }];
        while (model.length > 3 || weight() > mostBytes) {
          model.shift();
        }
        expect(cache.size).toBe(model.length);
      }
    }),
  );
});

test("one that is too large for all of the room is not kept, nor are those that it could not have driven out", () => {
  const cache = new HistoryCache(10, historyOf(20).weight);
  cache.put("small", historyOf(10));
  cache.put("large", historyOf(100));
  expect(cache.size).toBe(0);
});

test("a history put in the place of another counts once", () => {
  const cache = new HistoryCache(10, historyOf(20).weight);
  for (let times = 0; times < 5; times++) {
    cache.put("a", historyOf(10));
  }
  cache.put("b", historyOf(10));
  expect(cache.size).toBe(2);
});
