import { expect, onTestFinished, test } from "vitest";
import { Clock } from "../../../../src/emulator/clock/clock.js";
import { TaskHub } from "../../../../src/emulator/hub/task-hub.js";
import { SchedulerLimits } from "../../../../src/emulator/limits/scheduler-limits.js";
import { GroupCommit } from "../../../../src/emulator/store/group-commit.js";
import { openSqliteStore } from "../../../../src/emulator/store/sqlite/store.js";
import { isTerminal } from "../../../../src/protocol/orchestration-status.js";
import { VirtualTime } from "../../../support/emulator/virtual-time.js";

test("a call that waits is still told when one that is over is taken back late", async () => {
  const store = await openSqliteStore(":memory:");
  const clock = new Clock(new VirtualTime());
  const commits = new GroupCommit(store, clock, {
    onCommitted: () => hub.afterCommit(),
    onRolledBack: () => {},
    onLost: (error) => {
      throw error;
    },
  });
  const limits = new SchedulerLimits("none", () => {});
  const hub = new TaskHub("hub", { store, commits, clock, newToken: () => "token", limits });
  onTestFinished(() => {
    hub.close();
    store.close();
  });
  const start = {
    instanceId: "instance",
    name: "Orchestrator",
    version: undefined,
    input: undefined,
    executionId: undefined,
    scheduledStartUs: 0,
    traceContext: undefined,
    tags: [],
  };
  hub.clients.start(start, { statuses: [], action: "replace" }, () => {});
  commits.flush();
  const told: string[] = [];
  const takeBack = hub.waitFor(
    "instance",
    () => true,
    () => told.push("at once"),
  );
  hub.waitFor("instance", isTerminal, () => told.push("at its end"));
  takeBack();
  hub.clients.endAtOnce(["instance"], undefined, () => {});
  commits.flush();
  expect(told).toEqual(["at once", "at its end"]);
});
