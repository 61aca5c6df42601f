import { expect, test } from "vitest";
import { FAIR_UNREAD_BYTES } from "../../../../src/emulator/limits/limits.js";
import { ConnectionLoad } from "../../../../src/emulator/transport/connection-load.js";
import { MemoryBudget } from "../../../../src/emulator/transport/memory-budget.js";

test("a connection that reads may be sent several messages though others hold all that there is", () => {
  const budget = new MemoryBudget(2 * FAIR_UNREAD_BYTES);
  new ConnectionLoad(budget).hold(budget.most);
  const load = new ConnectionLoad(budget);
  expect([load.write(1_000), load.write(FAIR_UNREAD_BYTES)]).toEqual([true, true]);
  expect(load.write(1)).toBe(false);
  load.read(FAIR_UNREAD_BYTES + 1_000);
  expect(load.write(1)).toBe(true);
});

test("a connection that does not read is refused where there is no room for more", () => {
  const budget = new MemoryBudget(2 * FAIR_UNREAD_BYTES);
  const load = new ConnectionLoad(budget);
  expect([load.write(FAIR_UNREAD_BYTES), load.write(FAIR_UNREAD_BYTES), load.write(1)]).toEqual([true, true, false]);
});
