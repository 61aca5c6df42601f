import { expect, test } from "vitest";
import { RunBroadcast } from "../../../src/runs/run-broadcast.js";
import { sampleUpdate } from "../../support/live/sample-update.js";

function broadcastTo(watched: boolean[]): RunBroadcast {
  return new RunBroadcast({
    first: sampleUpdate,
    snapshot: () => undefined,
    lines: () => [],
    watch: (isWatched) => watched.push(isWatched),
  });
}

test("a viewer that leaves before the process has answered leaves nobody watching", async () => {
  const watched: boolean[] = [];
  const broadcast = broadcastTo(watched);
  const refreshed = broadcast.refreshed();
  broadcast.take(sampleUpdate);
  await refreshed;
  broadcast.viewersChanged();
  expect(watched).toEqual([true, false]);
});

test("two viewers that come at the same time wait for one answer", async () => {
  const watched: boolean[] = [];
  const broadcast = broadcastTo(watched);
  let answered = 0;
  const both = [1, 2].map(() => broadcast.refreshed().then(() => (answered += 1)));
  broadcast.take(sampleUpdate);
  await Promise.all(both);
  expect({ answered, watched }).toEqual({ answered: 2, watched: [true] });
});
