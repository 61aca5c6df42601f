import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FairQueue, type Ticket } from "../../../../src/emulator/dispatch/fair-queue.js";

test("tickets are taken by their turns, and those of one turn as they came, whatever is added and dropped between", () => {
  const step = fc.oneof(
    fc.nat(5).map((turn) => ({ turn })),
    fc.constantFrom("take" as const, "keep even" as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
      const queue = new FairQueue<number>();
      let list: Ticket<number>[] = [];
      for (const [seq, each] of steps.entries()) {
        list.sort((one, other) => one.turn - other.turn || one.seq - other.seq);
        if (each === "take") {
          expect(queue.take()).toEqual(list.shift());
        } else if (each === "keep even") {
          queue.keep((item) => item % 2 === 0);
          list = list.filter(({ item }) => item % 2 === 0);
        } else {
          queue.push({ item: seq, turn: each.turn, seq });
          list.push({ item: seq, turn: each.turn, seq });
        }
        expect(queue.length).toBe(list.length);
      }
    }),
  );
});
