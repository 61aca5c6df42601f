import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Status } from "../../../../src/protocol/orchestration-status.js";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import { timestampOf, type RawConnection } from "../../../support/emulator/raw-connection.js";
import { ServedEmulator } from "../../../support/emulator/served-emulator.js";
import { bytes, committed, newInstance } from "../../../support/emulator/store-contract.js";

const {
  ORCHESTRATION_STATUS_CANCELED: CANCELED,
  ORCHESTRATION_STATUS_FAILED: FAILED,
  ORCHESTRATION_STATUS_RUNNING: RUNNING,
} = pb.OrchestrationStatus;

interface Window {
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly statuses?: Parameters<InstanceType<typeof pb.PurgeInstanceFilter>["setRuntimestatusList"]>[0];
}

let served: ServedEmulator;

beforeAll(async () => {
  served = await ServedEmulator.start();
});

afterAll(() => {
  served.close();
});

/** Returns how many instances were deleted. */
async function purge(hub: RawConnection, { fromMs, toMs, statuses = [] }: Window): Promise<number> {
  const filter = new pb.PurgeInstanceFilter();
  filter.setCreatedtimefrom(fromMs === undefined ? undefined : timestampOf(fromMs));
  filter.setCreatedtimeto(toMs === undefined ? undefined : timestampOf(toMs));
  filter.setRuntimestatusList(statuses);
  const request = new pb.PurgeInstancesRequest();
  request.setPurgeinstancefilter(filter);
  const response = await hub.call("PurgeInstances", request, pb.PurgeInstancesResponse);
  expect(response.getIscomplete()?.getValue()).toBe(true);
  return response.getDeletedinstancecount();
}

/** Instances created one second apart, the first 1 s after the epoch, on a hub of their own. */
function fill(taskHub: string, statuses: readonly number[]): RawConnection {
  committed(served.store, () => {
    for (const [index, status] of statuses.entries()) {
      const instance = newInstance({ taskHub, instanceId: `i${index}`, createdUs: (index + 1) * 1e6 });
      const key = served.store.insertInstance(instance)!;
      if (status !== Status.Pending) reach(key, status);
    }
  });
  return served.connect(taskHub);
}

function reach(key: number, status: number): void {
  const nothing = {
    output: undefined,
    customStatus: undefined,
    failure: undefined,
    trace: undefined,
    history: bytes(""),
  };
  const times = { updatedUs: 1, completedUs: status === Status.Running ? 0 : 1 };
  served.store.applyEpisode(key, { ...nothing, ...times, processedSeq: 0, historySeq: 0, tasksCompleted: 0, status });
}

describe("a purge by filter", () => {
  const ALL = [Status.Completed, Status.Running, Status.Failed, Status.Pending, Status.Terminated, Status.Canceled];

  test.each<[string, Window, string[]]>([
    ["without bounds deletes what has ended", {}, ["i1", "i3"]],
    ["by status deletes those", { statuses: [FAILED, CANCELED] }, ["i0", "i1", "i3", "i4"]],
    ["of what has not ended deletes nothing", { statuses: [RUNNING] }, ["i0", "i1", "i2", "i3", "i4", "i5"]],
    [
      "by a window deletes what was created in it, its ends included",
      { fromMs: 3_000, toMs: 5_000 },
      ["i0", "i1", "i3", "i5"],
    ],
    ["with a beginning alone deletes what came later", { fromMs: 5_001 }, ["i0", "i1", "i2", "i3", "i4"]],
    ["with all bounds deletes what is within all", { toMs: 5_000, statuses: [FAILED] }, ["i0", "i1", "i3", "i4", "i5"]],
  ])("%s", async (name, window, left) => {
    const hub = fill(name, ALL);
    expect(await purge(hub, window)).toBe(ALL.length - left.length);
    const rest = await Promise.all(ALL.map(async (_, index) => (await hub.state(`i${index}`))?.instanceid));
    expect(rest.filter((id) => id !== undefined)).toEqual(left);
  });

  test("deletes more than one turn takes, and only on its own hub", async () => {
    const hub = fill(
      "many",
      Array.from({ length: 1_234 }, () => Status.Completed),
    );
    const other = fill("another", [Status.Completed]);
    expect(await purge(hub, {})).toBe(1_234);
    expect(await purge(hub, {})).toBe(0);
    expect(await other.state("i0")).toBeDefined();
  });
});
