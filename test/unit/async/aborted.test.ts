import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { aborted } from "../../../src/async/aborted.js";

test("a signal that outlives its listeners keeps none of them", async () => {
  const [command, run] = [new AbortController(), new AbortController()];
  const ofRun = aborted(command.signal, run.signal).then(() => "heard");
  expect(getEventListeners(command.signal, "abort")).toHaveLength(1);
  run.abort();
  expect(getEventListeners(command.signal, "abort")).toHaveLength(0);
  const late = aborted(command.signal, run.signal).then(() => "heard");
  expect(getEventListeners(command.signal, "abort")).toHaveLength(0);
  command.abort();
  expect(await Promise.race([ofRun, late, Promise.resolve("not heard")])).toBe("not heard");
  await aborted(command.signal);
});
