import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import type { SidecarClient } from "../../../src/backend/sidecar-client.js";
import { clientClock } from "../../../src/async/clock.js";
import { completionOf } from "../../../src/load/outcome.js";
import { FAN_OUT_FAN_IN_ORCHESTRATION } from "../../../src/orchestrations/fan-out-fan-in-contract.js";
import type { DelayRecord } from "../../../bench/delay-server/delay-log.js";
import { DelayServerProcess } from "../../support/load/delay-server-process.js";

const WORK = {
  name: FAN_OUT_FAN_IN_ORCHESTRATION,
  input: { iterations: 3, parallelActivities: 4, includeResults: false },
};
/** Longer than any test. */
const NEVER = "constant:1h";

/** Starts them one after the other, so that the n-th id is the n-th instance. */
async function startAll(client: SidecarClient, ids: readonly string[]): Promise<void> {
  for (const instanceId of ids) await client.startInstance({ instanceId, ...WORK });
}

async function runAll(client: SidecarClient, ids: readonly string[]) {
  return Promise.all(
    ids.map(async (instanceId) => {
      await client.startInstance({ instanceId, ...WORK });
      return client.waitForCompletion(instanceId);
    }),
  );
}

function idsOf(count: number, prefix = "run-00000-"): string[] {
  return Array.from({ length: count }, (_, number) => `${prefix}${String(number).padStart(3, "0")}`);
}

test("an instance completes after its delay, with the output that a run accepts", async () => {
  const client = (await DelayServerProcess.start({ delay: "constant:30ms" })).client();
  const [state] = await runAll(client, ["a"]);
  expect(state).toMatchObject({ status: "Completed", name: WORK.name, input: JSON.stringify(WORK.input) });
  expect(state!.completedMs! - state!.createdMs!).toBeGreaterThanOrEqual(30);
  const start = { instanceId: "a", sequence: 0, intendedMs: 0, heldBack: false, sentMs: 0, acceptedMs: 0 };
  expect(completionOf(start, state, 0, 12)).toMatchObject({ outcome: "completed", failure: undefined });
  expect(completionOf(start, state, 0, 11)).toMatchObject({ outcome: "failed" });
});

test("a running instance has no completion time, and without payloads no output", async () => {
  const client = (await DelayServerProcess.start({ delay: NEVER })).client();
  await startAll(client, ["a"]);
  expect(await client.getInstance("a", { payloads: true })).toMatchObject({
    status: "Running",
    completedMs: undefined,
    output: undefined,
  });
  expect(await client.getInstance("a")).toMatchObject({ input: undefined, withoutPayloads: true });
  expect(await client.getInstance("b")).toBeUndefined();
  expect(await client.waitForCompletion("b")).toBeUndefined();
});

test("an id is started once", async () => {
  const client = (await DelayServerProcess.start({ delay: NEVER })).client();
  await startAll(client, ["a"]);
  await expect(startAll(client, ["a"])).rejects.toMatchObject({ code: status.ALREADY_EXISTS });
});

const SHAPES: readonly (readonly [delay: string, holds: (meantMs: readonly number[]) => void])[] = [
  ["constant:5ms", (meantMs) => expect(new Set(meantMs)).toEqual(new Set([5]))],
  [
    "uniform:2ms-12ms",
    (meantMs) => {
      expect(meantMs.every((ms) => ms >= 2 && ms <= 12)).toBe(true);
      expect(mean(meantMs)).toBeCloseTo(7, 0);
    },
  ],
  [
    "exp:10ms",
    (meantMs) => {
      // Of an exponential distribution half lie below ln 2 of the mean, and a tenth above ln 10 of it.
      expect(share(meantMs, (ms) => ms < 10 * Math.LN2)).toBeCloseTo(0.5, 1);
      expect(share(meantMs, (ms) => ms > 10 * Math.LN10)).toBeCloseTo(0.1, 1);
    },
  ],
  [
    "bimodal:2ms,20ms@25%",
    (meantMs) => {
      expect(new Set(meantMs)).toEqual(new Set([2, 20]));
      expect(share(meantMs, (ms) => ms === 20)).toBeCloseTo(0.25, 1);
    },
  ],
];

test.each(SHAPES)("%s: the log has each delay as it was meant and as it was told", async (delay, holds) => {
  const server = await DelayServerProcess.start({ delay, seed: 7 });
  const states = await runAll(server.client(), idsOf(400));
  const log = await server.stop();
  holds(log.map(({ meantMs }) => meantMs));
  expect(log.every(({ meantMs, tookMs }) => tookMs >= meantMs)).toBe(true);
  const told = states.map((state) => ({
    createdMs: state!.createdMs!,
    tookMs: state!.completedMs! - state!.createdMs!,
  }));
  expect(told.map(roundedToUs).toSorted()).toEqual(log.map(roundedToUs).toSorted());
});

test("the delays follow from the seed", async () => {
  const meantMs = await meantBy(1);
  expect(await meantBy(1)).toEqual(meantMs);
  expect(await meantBy(2)).not.toEqual(meantMs);
});

test.each(["250ms", "-3s"])("its clock is %s beside ours", async (clockOffset) => {
  const client = (await DelayServerProcess.start({ clockOffset, delay: NEVER })).client();
  const sentMs = clientClock();
  await startAll(client, ["a"]);
  const acceptedMs = clientClock();
  const offsetMs = clockOffset === "250ms" ? 250 : -3_000;
  const { createdMs = 0 } = (await client.getInstance("a")) ?? {};
  // Two processes of one machine do not agree to the microsecond on when they began.
  expect(createdMs).toBeGreaterThan(sentMs + offsetMs - 10);
  expect(createdMs).toBeLessThan(acceptedMs + offsetMs + 10);
});

test("completed instances are listed in the order of completion, by window, status and page", async () => {
  const client = (await DelayServerProcess.start({ delay: "uniform:1ms-50ms" })).client();
  const states = await runAll(client, idsOf(30));
  // Several may complete in the same microsecond: the order of the times is what is promised.
  const times = new Map(states.map((state) => [state!.instanceId, state!.completedMs!]));
  const inOrder = [...times.values()].toSorted((a, b) => a - b);
  const listed: string[] = [];
  let lastInstanceKey: string | undefined;
  do {
    const page = await client.listInstanceIds({ statuses: ["Completed"], pageSize: 7, lastInstanceKey });
    listed.push(...page.instanceIds);
    ({ lastInstanceKey } = page);
  } while (lastInstanceKey !== undefined);
  expect(new Set(listed).size).toBe(30);
  expect(listed.map((id) => times.get(id))).toEqual(inOrder);

  // Whole milliseconds: what a request carries of them is exact.
  const [completedFromMs, completedToMs] = [Math.floor(inOrder[10]!), Math.ceil(inOrder[20]!)];
  const window = { completedFromMs, completedToMs, pageSize: 100 };
  expect((await client.listInstanceIds({ statuses: ["Completed"], ...window })).instanceIds).toEqual(
    listed.filter((id) => times.get(id)! >= completedFromMs && times.get(id)! <= completedToMs),
  );
  expect((await client.listInstanceIds({ statuses: ["Failed"], ...window })).instanceIds).toEqual([]);
});

test("instances are queried by prefix, status and page, in the order of their ids", async () => {
  const client = (await DelayServerProcess.start({ delay: NEVER })).client();
  const ids = [...idsOf(5, "run-00001-"), ...idsOf(5, "run-00000-"), "other-00000-000"];
  await startAll(client, ids);
  await client.terminate("run-00000-002", "enough");
  const idsBy = async (query: Parameters<SidecarClient["queryInstances"]>[0]): Promise<string[]> => {
    const { instances, continuationToken } = await client.queryInstances(query);
    const rest = continuationToken === undefined ? [] : await idsBy({ ...query, continuationToken });
    return [...instances.map(({ instanceId }) => instanceId), ...rest];
  };
  expect(await idsBy({ pageSize: 2 })).toEqual(ids.toSorted());
  expect(await idsBy({ instanceIdPrefix: "run-00000-", pageSize: 5 })).toEqual(idsOf(5));
  expect(await idsBy({ instanceIdPrefix: "run-", statuses: ["Terminated"] })).toEqual(["run-00000-002"]);
  expect(await idsBy({ createdToMs: 1 })).toEqual([]);
});

test("calls that it is configured to lack are answered with UNIMPLEMENTED", async () => {
  const lacking = ["ListInstanceIds", "QueryInstances"];
  const client = (await DelayServerProcess.start({ lacking, delay: "constant:1ms" })).client();
  await expect(client.listInstanceIds({ statuses: [], pageSize: 1 })).rejects.toMatchObject({
    code: status.UNIMPLEMENTED,
  });
  await expect(client.queryInstances({})).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
  expect(await runAll(client, ["a"])).toMatchObject([{ status: "Completed" }]);
});

test("a terminated instance ends with its reason, and its delay is not measured", async () => {
  const patient = await DelayServerProcess.start({ delay: NEVER });
  await startAll(patient.client(), ["a"]);
  const waiting = patient.client().waitForCompletion("a");
  await patient.client().terminate("a", "enough");
  expect(await waiting).toMatchObject({ status: "Terminated", output: '"enough"' });
  expect(await patient.stop()).toHaveLength(0);

  const server = await DelayServerProcess.start({ delay: "constant:1ms" });
  const client = server.client();
  await runAll(client, ["b"]);
  await client.terminate("b", "too late");
  expect(await client.getInstance("b")).toMatchObject({ status: "Completed" });
  await expect(client.terminate("c", "enough")).rejects.toMatchObject({ code: status.NOT_FOUND });
  expect(await server.stop()).toHaveLength(1);
});

test("only ended instances are purged, and no call returns them any more", async () => {
  const client = (await DelayServerProcess.start({ delay: NEVER })).client();
  await startAll(client, ["a", "b", "c", "d"]);
  for (const id of ["a", "b", "c"]) await client.terminate(id, "enough");
  expect(await client.purge("a")).toBe(true);
  expect(await client.purge("a")).toBe(false);
  expect(await client.purgeBatch(["a", "b", "d"])).toBe(1);
  expect(await client.getInstance("a")).toBeUndefined();
  expect((await client.queryInstances({})).instances.map(({ instanceId }) => instanceId)).toEqual(["c", "d"]);
  expect((await client.listInstanceIds({ statuses: ["Terminated"], pageSize: 9 })).instanceIds).toEqual(["c"]);
});

/** The delays that were meant, in the order of the starts. */
async function meantBy(seed: number): Promise<readonly number[]> {
  const server = await DelayServerProcess.start({ delay: "exp:5ms", seed });
  const client = server.client();
  await startAll(client, idsOf(20));
  await Promise.all(idsOf(20).map((id) => client.waitForCompletion(id)));
  return (await server.stop()).toSorted((a, b) => a.createdMs - b.createdMs).map(({ meantMs }) => meantMs);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function share(values: readonly number[], holds: (value: number) => boolean): number {
  return values.filter(holds).length / values.length;
}

function roundedToUs({ createdMs, tookMs }: Pick<DelayRecord, "createdMs" | "tookMs">): string {
  return `${createdMs.toFixed(3)} ${tookMs.toFixed(3)}`;
}
