import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { InstanceState } from "../../../src/backend/orchestration-client.js";
import type { SidecarClient } from "../../../src/backend/sidecar-client.js";
import { CompletionWatch } from "../../../src/load/completion-watch.js";
import { concurrently } from "../../../src/async/concurrently.js";
import { completionOf } from "../../../src/load/outcome.js";
import { instanceIdOf } from "../../../src/plan/run-id.js";
import { pb } from "../../../src/protocol/sidecar-stubs.js";
import { complete, type RawConnection, type WorkItem } from "../../support/emulator/raw-connection.js";
import { ServedEmulator } from "../../support/emulator/served-emulator.js";
import { ForwardingBackend } from "../../support/hub/forwarding-backend.js";

const RUN = "nightly.7";
const WAITS = 200;
const never = new AbortController().signal;

let served: ServedEmulator;
let hubs = 0;
let hub: string;
let worker: RawConnection;
let forwarding: ForwardingBackend;
let client: SidecarClient;
let nowMs: number;
let ended: AbortController;
/** What a worker holds of each instance that has not ended. */
const held = new Map<string, WorkItem>();

beforeAll(async () => {
  served = await ServedEmulator.start();
});
afterAll(() => served.close());
beforeEach(() => {
  hub = `hub-${(hubs += 1)}`;
  nowMs = 0;
  ended = new AbortController();
});
afterEach(() => {
  ended.abort();
  forwarding.close();
  held.clear();
});

async function start(instances: number, lacking: readonly string[]): Promise<readonly string[]> {
  forwarding = await ForwardingBackend.start(served.address, lacking);
  client = forwarding.client(hub);
  worker = served.connect(hub);
  const items = await worker.worker();
  // Of an orchestrator that no worker has answered yet, few instances begin at a time.
  await client.startInstance({ instanceId: "first", name: "Any", input: 1 });
  await worker.completeEpisode(await items.item(), [complete(1, "done")]);
  const ids = Array.from({ length: instances }, (_, number) => instanceIdOf(RUN, number));
  await concurrently(ids, 50, never, (instanceId) => client.startInstance({ instanceId, name: "Any", input: 1 }));
  while (held.size < instances) {
    const item = await items.item();
    held.set(item.orchestratorrequest!.instanceid, item);
  }
  forwarding.calls = {};
  return ids;
}

function end(ids: readonly string[], result: unknown = "done"): Promise<void> {
  return concurrently(ids, 50, never, (id) => worker.completeEpisode(held.get(id)!, [complete(1, result)]));
}

async function fail(instanceId: string): Promise<void> {
  const failure = new pb.TaskFailureDetails();
  failure.setErrortype("FanInError");
  failure.setErrormessage("lost one");
  const action = complete(1, null);
  action.getCompleteorchestration()!.setOrchestrationstatus(pb.OrchestrationStatus.ORCHESTRATION_STATUS_FAILED);
  action.getCompleteorchestration()!.setFailuredetails(failure);
  await worker.completeEpisode(held.get(instanceId)!, [action]);
}

const wait = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Its clock stands still unless a test moves it, in another age than the emulator's; its pauses take one turn. */
function watch(): CompletionWatch {
  return new CompletionWatch({ client, runId: RUN, clock: () => nowMs, signal: ended.signal, wait });
}

function follow(noticing: CompletionWatch, ids: readonly string[]): readonly Promise<InstanceState | undefined>[] {
  return ids.map((id) => {
    const end = noticing.untilEnded(id);
    end.catch(() => {});
    return end;
  });
}

describe.each<[string, readonly string[], string]>([
  ["the time of completion", [], "ListInstanceIds"],
  ["buckets", ["ListInstanceIds"], "QueryInstances"],
  ["instance", ["ListInstanceIds", "QueryInstances"], "GetInstance"],
])("a watch that polls by %s", (_, lacking, call) => {
  test("notices the end of each instance beyond those that it waits for", async () => {
    // Of buckets, which have a thousand each, two.
    const ids = await start(WAITS + (call === "QueryInstances" ? 1_200 : 400), lacking);
    const noticing = watch();
    void follow(noticing, ids.slice(0, WAITS));
    const polled = follow(noticing, ids.slice(WAITS));
    await end(ids.slice(WAITS));
    const states = await Promise.all(polled);
    expect(states.map((state) => state?.instanceId)).toEqual(ids.slice(WAITS));
    expect(new Set(states.map((state) => state?.status))).toEqual(new Set(["Completed"]));
    expect(states.every((state) => state!.completedMs! >= state!.createdMs!)).toBe(true);
    expect(noticing.calls["WaitForInstanceCompletion"]).toBe(WAITS);
    expect(noticing.calls[call]).toBeGreaterThan(1);
    expect(noticing.calls).toEqual(forwarding.calls);
  });

  test("judges instances that it has read without payloads, and reads failed ones again for the reason", async () => {
    const ids = await start(WAITS + 2, lacking);
    const noticing = watch();
    void follow(noticing, ids.slice(0, WAITS));
    const [completed, failed] = follow(noticing, ids.slice(WAITS));
    await end([ids.at(-2)!], { totalActivities: 50, elapsedTimeMs: 1, averageActivityTimeMs: 1 });
    await fail(ids.at(-1)!);
    const of = { instanceId: "", sequence: 0, intendedMs: 0, sentMs: 0, acceptedMs: 0, heldBack: false };
    expect(completionOf(of, await completed, 0, 50)).toMatchObject({ outcome: "completed" });
    expect(completionOf(of, await failed, 0, 50).failure).toEqual({ type: "FanInError", message: "lost one" });
  });

  test("finds that an instance is gone", async () => {
    const ids = await start(WAITS + 2, lacking);
    const gone = ids.at(-1)!;
    await end([gone]);
    await client.purge(gone);
    const noticing = watch();
    const [lost] = follow(noticing, ids).slice(-1);
    nowMs = 10_000;
    expect(await lost).toBeUndefined();
  });
});

test("asks once for the time at the backend, and once for each instance that has ended", async () => {
  const ids = await start(WAITS + 300, []);
  const noticing = watch();
  const polled = follow(noticing, ids).slice(WAITS + 1);
  for (let from = WAITS + 1; from < ids.length; from += 75) await end(ids.slice(from, from + 75));
  await Promise.all(polled);
  expect(noticing.calls["GetInstance"]).toBe(1 + 299);
});

test("queries only buckets with open instances, and lists the unfinished ones if they are few", async () => {
  const ids = await start(2_100, ["ListInstanceIds"]);
  const prefixes = new Set<string | undefined>();
  const queryInstances = client.queryInstances.bind(client);
  client.queryInstances = (query, options) => {
    prefixes.add(query.instanceIdPrefix);
    return queryInstances(query, options);
  };
  const noticing = watch();
  void follow(noticing, ids.slice(0, WAITS));
  const [, ...polled] = follow(noticing, ids.slice(1_000, 1_400));
  await end(ids.slice(1_001, 1_400));
  await Promise.all(polled);
  // The first one to learn the time at the backend, before it is known not to list.
  expect(noticing.calls["GetInstance"]).toBe(1 + 399);
  expect(prefixes).toEqual(new Set([`${RUN}-00001-`]));
});

test("changes to waiting calls once they suffice", async () => {
  const ids = await start(WAITS + 10, []);
  const noticing = watch();
  const all = follow(noticing, ids);
  await end(ids.slice(0, 10));
  await Promise.all(all.slice(0, 10));
  await expect.poll(() => forwarding.calls["WaitForInstanceCompletion"]).toBe(WAITS + 10);
  await end(ids.slice(10));
  const states = await Promise.all(all);
  expect(states.at(-1)).toMatchObject({ status: "Completed", output: '"done"' });
});
