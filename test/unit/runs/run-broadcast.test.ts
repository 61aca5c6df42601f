import { expect, test } from "vitest";
import { RunBroadcast } from "../../../src/runs/run-broadcast.js";
import { sampleUpdate } from "../../support/live/sample-update.js";

test("a viewer that leaves before the process has answered leaves nobody watching", async () => {
  const watched: boolean[] = [];
  const broadcast = new RunBroadcast({
    first: sampleUpdate,
    snapshot: () => undefined,
    watch: (isWatched) => watched.push(isWatched),
  });
  const refreshed = broadcast.refreshed();
  broadcast.take(sampleUpdate);
  await refreshed;
  broadcast.viewersChanged();
  expect(watched).toEqual([true, false]);
});
