import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { OrchestrationClient } from "../../../src/backend/orchestration-client.js";
import { Status } from "../../../src/protocol/orchestration-status.js";
import { recountInstances } from "../../../src/load/recount.js";
import { instanceIdOf, sequenceOf } from "../../../src/plan/run-id.js";
import type { Recount } from "../../../src/result/run-result.js";
import { placeInMix } from "../../../src/result/mix.js";
import { SequenceSet } from "../../../src/stats/sequence-set.js";
import { bytes, committed, newInstance } from "../../support/emulator/store-contract.js";
import { ServedEmulator } from "../../support/emulator/served-emulator.js";
import { ForwardingBackend } from "../../support/hub/forwarding-backend.js";
import { RUN } from "../../support/hub/states.js";
import { completedState, fakeClient, untilAborted } from "../../support/load/fake-backend.js";
import { rpcError } from "../../support/load/fake-hub.js";

const never = new AbortController().signal;

function setOf(sequences: Iterable<number>): SequenceSet {
  const set = new SequenceSet();
  for (const sequence of sequences) set.add(sequence);
  return set;
}

function numbers(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** The backend lists none of 200 accepted instances, and answers in time about the first hundred. */
const recountLate = (isKnown: (sequence: number) => boolean) => {
  const client = fakeClient({
    queryInstances: () => Promise.resolve({ instances: [], continuationToken: undefined }),
    getInstance: (instanceId, { signal } = {}) => {
      const sequence = sequenceOf(instanceId)!;
      if (sequence >= 100) return untilAborted(signal);
      return Promise.resolve(isKnown(sequence) ? completedState(instanceId, 1) : undefined);
    },
  });
  const accepted = setOf(numbers(0, 200));
  return recountInstances({ client, runId: RUN, accepted, unanswered: new Set(), signal: never, patienceMs: 100 });
};

describe("of 2,500 instances on a hub with others", () => {
  let served: ServedEmulator;
  let forwarding: ForwardingBackend;

  beforeAll(async () => {
    served = await ServedEmulator.start();
    committed(served.store, () => {
      for (const number of numbers(0, 2_500)) insert(instanceIdOf(RUN, number), number < 2_000);
      insert(`${RUN}-other`, true);
      insert(instanceIdOf(`${RUN}.2`, 0), true);
      insert(instanceIdOf(RUN, 3_000), true, "another");
    });
    forwarding = await ForwardingBackend.start(served.address);
  });
  afterAll(() => {
    forwarding.close();
    served.close();
  });

  function insert(instanceId: string, ended: boolean, taskHub = "hub"): void {
    const key = served.store.insertInstance(newInstance({ instanceId, taskHub }))!;
    if (!ended) return;
    served.store.applyEpisode(key, {
      processedSeq: 0,
      historySeq: 0,
      history: bytes(""),
      status: Status.Completed,
      updatedUs: 2,
      completedUs: 2,
      output: undefined,
      customStatus: undefined,
      failure: undefined,
      trace: undefined,
      tasksCompleted: 0,
    });
  }

  const recount = (
    accepted: Iterable<number>,
    client: OrchestrationClient = forwarding.client("hub"),
    unanswered: Iterable<number> = [],
  ) =>
    recountInstances({ client, runId: RUN, accepted: setOf(accepted), unanswered: new Set(unanswered), signal: never });

  test("all accepted instances exist, and no others", async () => {
    expect(await recount(numbers(0, 2_500))).toEqual({
      instances: 2_500,
      byStatus: { Completed: 2_000, Pending: 500 },
      lost: { total: 0, first: [] },
      unexpected: { total: 0, first: [] },
    });
  });

  test("a hundred of the lost and of the unexpected ones are named, and the rest are counted", async () => {
    expect(await recount(numbers(300, 2_700))).toMatchObject({
      instances: 2_500,
      lost: { total: 200, first: numbers(2_500, 2_600).map((number) => instanceIdOf(RUN, number)) },
      unexpected: { total: 300, first: numbers(0, 100).map((number) => instanceIdOf(RUN, number)) },
    });
  });

  test("each orchestration of a mix is counted", async () => {
    const orchestrations = [
      { orchestrator: "Order", weight: 3 },
      { orchestrator: "Refund", weight: 1 },
    ];
    const found = await recountInstances({
      client: forwarding.client("hub"),
      runId: RUN,
      accepted: setOf(numbers(300, 2_700)),
      unanswered: new Set(),
      plan: { orchestrations },
      signal: never,
    });
    const countIn = (from: number, to: number, place: number) =>
      [...numbers(from, to)].filter((sequence) => placeInMix(orchestrations, sequence) === place).length;
    expect(found).toMatchObject({
      byOrchestration: orchestrations.map(({ orchestrator }, place) => ({
        orchestrator,
        instances: countIn(0, 2_500, place),
        lost: countIn(2_500, 2_700, place),
        unexpected: countIn(0, 300, place),
      })),
    });
  });

  test("instances whose start was not answered are not unexpected", async () => {
    expect(await recount(numbers(0, 2_400), undefined, numbers(2_399, 2_498))).toMatchObject({
      unexpected: { total: 2, first: [instanceIdOf(RUN, 2_498), instanceIdOf(RUN, 2_499)] },
    });
  });

  test("an instance that a query omits and the backend knows is not lost", async () => {
    const client = forwarding.client("hub");
    const queryInstances = client.queryInstances.bind(client);
    client.queryInstances = async (query, options) => {
      const page = await queryInstances(query, options);
      return { ...page, instances: page.instances.filter(({ instanceId }) => instanceId !== instanceIdOf(RUN, 7)) };
    };
    expect(await recount(numbers(0, 2_501), client)).toMatchObject({
      instances: 2_500,
      byStatus: { Completed: 2_000 },
      lost: { total: 1, first: [instanceIdOf(RUN, 2_500)] },
    });
  });

  test("an index that lags far behind makes nothing lost", async () => {
    const client = forwarding.client("hub");
    const queryInstances = client.queryInstances.bind(client);
    client.queryInstances = async (query, options) => {
      const page = await queryInstances(query, options);
      return { ...page, instances: page.instances.filter(({ instanceId }) => sequenceOf(instanceId)! >= 150) };
    };
    expect(await recount(numbers(0, 2_500), client)).toMatchObject({
      instances: 2_500,
      byStatus: { Completed: 2_000, Pending: 500 },
      lost: { total: 0, first: [] },
    });
  });

  describe("if the backend answers too late for some of what its index lacks", () => {
    test("it is not known", async () => {
      expect(await recountLate(() => true)).toEqual({ unknown: "it took longer than 100 ms" });
    });

    test("only those are lost that it said it does not know", async () => {
      expect(await recountLate((sequence) => sequence > 2)).toMatchObject({ instances: 97, lost: { total: 3 } });
    });
  });

  test("no recount is possible if the backend lacks the call", async () => {
    const lacking = await ForwardingBackend.start(served.address, ["QueryInstances"]);
    expect(await recount([1], lacking.client("hub"))).toEqual({
      unknown: "the backend has no QueryInstances (UNIMPLEMENTED)",
    });
    lacking.close();
  });
});

/** What comes of a query that is answered so. */
const ask = (
  queryInstances: OrchestrationClient["queryInstances"],
  over: { readonly signal?: AbortSignal; readonly patienceMs?: number } = {},
): Promise<Recount> =>
  recountInstances({
    client: fakeClient({ queryInstances }),
    runId: RUN,
    accepted: setOf([1]),
    unanswered: new Set(),
    signal: never,
    ...over,
  });

describe("why it is not known", () => {
  test("is what the backend says", async () => {
    expect(await ask(() => Promise.reject(rpcError(status.INTERNAL)))).toEqual({ unknown: "INTERNAL" });
  });

  test("is that it took too long", async () => {
    const answer = await ask((_, { signal } = {}) => untilAborted(signal), { patienceMs: 1 });
    expect(answer).toEqual({ unknown: "it took longer than 1 ms" });
  });

  test("is that somebody interrupted it", async () => {
    const answer = await ask((_, { signal } = {}) => untilAborted(signal), { signal: AbortSignal.timeout(1) });
    expect(answer).toEqual({ unknown: "the run was interrupted" });
  });
});
