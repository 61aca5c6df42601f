import { OrchestrationStatus, type OrchestrationQuery, type TaskHubGrpcClient } from "@microsoft/durabletask-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Status } from "../../../../src/protocol/orchestration-status.js";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import { timestampOf } from "../../../support/emulator/raw-connection.js";
import { ServedEmulator } from "../../../support/emulator/served-emulator.js";
import { bytes, committed, newInstance } from "../../../support/emulator/store-contract.js";
import { FAMILY, startFamily } from "../../../support/emulator/family.js";

const { RUNNING, COMPLETED, FAILED, PENDING, TERMINATED, SUSPENDED } = OrchestrationStatus;

/** What is on the hub: instances created one second apart, the first 1 s after the epoch, that ended a minute later. */
const STATUSES = [
  ["a-0", Status.Completed],
  ["a-1", Status.Running],
  ["a-2", Status.Failed],
  ["b-3", Status.Pending],
  ["b-4", Status.Terminated],
  ["b-5", Status.Suspended],
  ["b-6", Status.Completed],
] as const;
const ALL = STATUSES.map(([id]) => id);

let served: ServedEmulator;
let client: TaskHubGrpcClient;

beforeAll(async () => {
  served = await ServedEmulator.start();
  client = served.client();
  committed(served.store, () => {
    for (const [index, [instanceId, status]] of STATUSES.entries()) fill(instanceId, status, index + 1);
  });
  await served.connect("other").start("a-elsewhere");
});

afterAll(() => {
  served.close();
});

function fill(instanceId: string, status: number, seconds: number): void {
  const input = bytes('\n\x02"i');
  const key = served.store.insertInstance(newInstance({ instanceId, createdUs: seconds * 1e6, input }))!;
  const isOver = status === Status.Completed || status === Status.Failed || status === Status.Terminated;
  served.store.applyEpisode(key, {
    status,
    output: isOver ? bytes('\n\x02"o') : undefined,
    customStatus: bytes('\n\x02"c'),
    failure: undefined,
    trace: undefined,
    history: bytes(""),
    updatedUs: seconds * 1e6,
    completedUs: isOver ? (60 + seconds) * 1e6 : 0,
    processedSeq: 0,
    historySeq: 0,
    tasksCompleted: 0,
  });
}

async function idsOf(query?: OrchestrationQuery): Promise<string[]> {
  const ids: string[] = [];
  for await (const { instanceId } of client.getAllInstances(query)) ids.push(instanceId);
  return ids;
}

/** What the first instance is told with. */
async function payloads(isAsked: boolean): Promise<(string | undefined)[]> {
  const [state] = await rawQuery((query) => {
    query.setFetchinputsandoutputs(isAsked);
  });
  return [state?.input?.value, state?.output?.value, state?.customstatus?.value];
}

async function rawQuery(
  set: (query: pb.InstanceQuery) => void,
  hub = served.connect(),
): Promise<pb.OrchestrationState.AsObject[]> {
  const request = new pb.QueryInstancesRequest();
  const query = new pb.InstanceQuery();
  set(query);
  request.setQuery(query);
  return (await hub.call("QueryInstances", request, pb.QueryInstancesResponse)).toObject().orchestrationstateList;
}

function at(ms: number): Date {
  return new Date(ms);
}

describe("a query", () => {
  test.each<[string, OrchestrationQuery | undefined, readonly string[]]>([
    ["without a filter tells of all on its hub", undefined, ALL],
    ["by one status tells of those", { statuses: [COMPLETED] }, ["a-0", "b-6"]],
    ["by one status many times tells of those", { statuses: Array<number>(40_000).fill(COMPLETED) }, ["a-0", "b-6"]],
    ["by several statuses tells of those", { statuses: [RUNNING, FAILED, PENDING] }, ["a-1", "a-2", "b-3"]],
    ["by statuses of what has not ended tells of those", { statuses: [SUSPENDED, RUNNING] }, ["a-1", "b-5"]],
    ["by prefix tells of those whose ids begin so", { instanceIdPrefix: "a-" }, ["a-0", "a-1", "a-2"]],
    ["by a prefix that none has tells of none", { instanceIdPrefix: "c" }, []],
    [
      "by a window tells of what was created in it, its ends included",
      { createdFrom: at(2_000), createdTo: at(4_000) },
      ["a-1", "a-2", "b-3"],
    ],
    ["by a beginning alone tells of what came later", { createdFrom: at(5_001) }, ["b-5", "b-6"]],
    ["by an end alone tells of what came before", { createdTo: at(1_999) }, ["a-0"]],
    ["by the name of its hub tells of all", { taskHubNames: ["other", "hub"] }, ALL],
    ["by the name of another hub tells of none", { taskHubNames: ["other"] }, []],
    [
      "by all of them tells of what passes all",
      { statuses: [COMPLETED, TERMINATED], instanceIdPrefix: "b-", createdFrom: at(6_000), taskHubNames: ["hub"] },
      ["b-6"],
    ],
  ])("%s", async (_, query, ids) => {
    expect(await idsOf(query)).toEqual(ids);
  });

  test.each([1, 2, 3, 6, 7, 8])(
    "comes in pages of %i, whose tokens lead to the end, each instance once",
    async (size) => {
      const pages: string[][] = [];
      for await (const page of client.getAllInstances({ pageSize: size }).asPages())
        pages.push(page.values.map(({ instanceId }) => instanceId));

      expect(pages.flat()).toEqual(ALL);
      expect(pages.every((page) => page.length <= size)).toBe(true);
      expect(pages.length).toBeLessThanOrEqual(Math.floor(ALL.length / size) + 1);
    },
  );

  test("by a status that no instance can have tells of none", async () => {
    const statuses = [99 as pb.OrchestrationStatus];
    expect(await rawQuery((query) => query.setRuntimestatusList(statuses))).toEqual([]);
  });

  test("goes on behind a token, also after a restart", async () => {
    const pages = client.getAllInstances({ pageSize: 3 }).asPages()[Symbol.asyncIterator]();
    const { continuationToken } = (await pages.next()).value!;
    served.stop();
    await served.open();
    client = served.client();
    expect(await idsOf({ continuationToken })).toEqual(ALL.slice(3));
  });

  test("has payloads if it is asked for them, and else not", async () => {
    expect(await payloads(true)).toEqual(['"i', '"o', '"c']);
    expect(await payloads(false)).toEqual([undefined, undefined, undefined]);
  });

  test("tells of an instance's parent, tags and execution", async () => {
    await served.worker(FAMILY, "families");
    const families = served.client("families");
    await startFamily(families, { id: "parent", children: [{ id: "parent.child" }] });
    await families.scheduleNewOrchestration(
      "member",
      { id: "tagged" },
      { instanceId: "tagged", tags: { team: "blue" } },
    );
    const raw = served.connect("families");
    const told = await rawQuery(() => {}, raw);
    expect(told.map(({ instanceid, parentinstanceid }) => [instanceid, parentinstanceid?.value])).toEqual([
      ["parent", undefined],
      ["parent.child", "parent"],
      ["tagged", undefined],
    ]);
    expect(told.map(({ tagsMap }) => tagsMap)).toEqual([[], [], [["team", "blue"]]]);
    for (const { instanceid, executionid } of told) {
      expect(executionid?.value).toMatch(/^[0-9a-f]{32}$/u);
      expect(await raw.state(instanceid)).toMatchObject({ executionid });
    }
  });
});

describe("a list of ids", () => {
  const ENDED = ["a-0", "a-2", "b-4", "b-6"];

  test.each([
    ["without a filter has what has ended, in the order in which it has", {}, ENDED],
    ["by status has those", { runtimeStatus: [COMPLETED, TERMINATED] }, ["a-0", "b-4", "b-6"]],
    ["by the status of what has not ended is empty", { runtimeStatus: [RUNNING] }, []],
    [
      "by a window has what has ended in it, its ends included",
      { completedTimeFrom: at(63_000), completedTimeTo: at(65_000) },
      ["a-2", "b-4"],
    ],
    ["by a beginning alone has what has ended later", { completedTimeFrom: at(63_001) }, ["b-4", "b-6"]],
    ["by an end alone has what has ended before", { completedTimeTo: at(62_999) }, ["a-0"]],
    [
      "by all of them has what passes all",
      { runtimeStatus: [COMPLETED], completedTimeFrom: at(62_000), completedTimeTo: at(67_000) },
      ["b-6"],
    ],
  ])("%s", async (_, options, ids) => {
    expect((await client.listInstanceIds(options)).values).toEqual(ids);
  });

  test.each([1, 2, 3, 4])("comes in pages of %i, whose keys lead to the end, each id once", async (pageSize) => {
    const ids: string[] = [];
    let key: string | undefined;
    do {
      const page = await client.listInstanceIds({ pageSize, ...(key !== undefined && { lastInstanceKey: key }) });
      expect(page.values.length).toBeLessThanOrEqual(pageSize);
      ids.push(...page.values);
      key = page.continuationToken;
    } while (key !== undefined);
    expect(ids).toEqual(ENDED);
  });

  test("is refused a key that is none of this emulator's", async () => {
    await expect(client.listInstanceIds({ lastInstanceKey: "a-0" })).rejects.toThrow("lastInstanceKey");
  });
});

test("times are those of the protocol to the microsecond", async () => {
  const told = await rawQuery((query) => {
    const from = timestampOf(3_000);
    from.setNanos(1_000);
    query.setCreatedtimefrom(from);
    query.setCreatedtimeto(timestampOf(4_000));
  });
  expect(told.map(({ instanceid }) => instanceid)).toEqual(["b-3"]);
});
