import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Queue } from "../../../src/async/queue.js";

test("a queue is a list that grows at its end and shrinks at both", () => {
  const step = fc.oneof(
    fc.nat().map((item) => ({ push: item })),
    fc.constantFrom("drop" as const, "drop last" as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new Queue<number>();
      const list: number[] = [];
      for (const each of steps) {
        if (each === "drop") {
          queue.drop();
          list.shift();
        } else if (each === "drop last") {
          queue.dropLast();
          list.pop();
        } else {
          queue.push(each.push);
          list.push(each.push);
        }
        expect([queue.length, queue.first, queue.last]).toEqual([list.length, list[0], list.at(-1)]);
        expect([...queue]).toEqual(list);
      }
    }),
  );
});
