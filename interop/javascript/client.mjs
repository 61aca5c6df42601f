// Runs the checks with a JavaScript SDK's client: client.mjs ADDRESS SDK-FOLDER RUN [MISSING...]. Prints a line for each.
import { deepStrictEqual, ok, rejects } from "node:assert";
import { setTimeout } from "node:timers/promises";
import { loadSdk } from "./sdk.mjs";

const [address, folder, run, ...missing] = process.argv.slice(2);
const sdk = loadSdk(folder);
const Status = sdk.OrchestrationStatus;
// Dapr's SDK logs to the console.
console.log = () => {};
console.info = () => {};

const client = new sdk.TaskHubGrpcClient(
  sdk.NoOpLogger ? { hostAddress: address, logger: new sdk.NoOpLogger() } : address,
);

/** `needs` is what the worker must have, `call` the client. */
async function check(name, body, { needs, call } = {}) {
  if (call !== undefined && client[call] === undefined && sdk[call] === undefined) {
    print(`skip ${name}: this SDK has no ${call}`);
  } else if (missing.includes(needs)) {
    print(`skip ${name}: the worker's SDK has no ${needs}`);
  } else {
    try {
      await body(`${run}-${name.replaceAll(" ", "-")}`);
      print(`ok ${name}`);
    } catch (error) {
      process.exitCode = 1;
      print(`not ok ${name}: ${String(error).replaceAll(/\s+/g, " ")}`);
    }
  }
}

function print(line) {
  process.stdout.write(`${line}\n`);
}

async function start(name, id, input) {
  deepStrictEqual(await client.scheduleNewOrchestration(name, input, id), id);
}

async function end(id, status = Status.COMPLETED) {
  const state = await client.waitForOrchestrationCompletion(id, true, 30);
  deepStrictEqual(Status[state.runtimeStatus], Status[status]);
  return state;
}

const output = (state) => JSON.parse(state.serializedOutput);

function outcome(name, input, wanted) {
  return async (id) => {
    await start(name, id, input ?? undefined);
    deepStrictEqual(output(await end(id)), wanted);
  };
}

/** What is read once there is something. */
async function until(read) {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const found = await read();
    if (found) return found;
    await setTimeout(10);
  }
  throw new Error("Expected something within 30 s");
}

/** For orchestrators whose input is a key that no other run has used. */
function outcomeForKey(name, wanted) {
  return async (id) => outcome(name, id, wanted)(id);
}

await check("activity chain", outcome("Chain", null, ["Hello, Tokyo!", "Hello, Seattle!", "Hello, Zürich 🚀!"]));
await check("fan-out and fan-in", outcome("FanOut", 30, 9455));
await check("sub-orchestrations", outcome("Parent", [2, 3, 4], [5, 14, 30]));

await check("external event", async (id) => {
  await start("Approval", id, 600);
  await client.waitForOrchestrationStart(id, false, 30);
  await client.raiseOrchestrationEvent(id, "approval", "Ada");
  deepStrictEqual(output(await end(id)), "approved by Ada");
});

await check("event or timer", outcome("Approval", 1, "timed out"));
await check("timer", outcome("Nap", 1, true));
await check("continue-as-new", outcome("CountToFive", 1, 5));

await check(
  "events kept by continue-as-new",
  async (id) => {
    await start("Collect", id, []);
    for (const item of ["a", "b", "c"]) await client.raiseOrchestrationEvent(id, "item", item);
    deepStrictEqual(output(await end(id)), ["a", "b", "c"]);
  },
  { needs: "exact carry-over" },
);

await check("custom status", async (id) => {
  await start("Report", id);
  let status = await until(async () => (await client.getOrchestrationState(id, true)).serializedCustomStatus);
  // One SDK encodes it as JSON, another does not.
  ok(status.includes("halfway"), status);
  await client.raiseOrchestrationEvent(id, "go");
  status = (await end(id)).serializedCustomStatus;
  ok(status.includes("there"), status);
});

await check(
  "event from an orchestration",
  async (id) => {
    await start("Approval", id, 600);
    await outcome("Notify", id, "told")(`${id}-by`);
    deepStrictEqual(output(await end(id)), "approved by a colleague");
  },
  { needs: "send event" },
);

await check("retry of an activity", outcomeForKey("Persist", 3), { needs: "retry" });
await check("retry of a sub-orchestration", outcomeForKey("PersistChild", 3), { needs: "retry" });

await check("failure", async (id) => {
  await start("Fragile", id, "7");
  const { failureDetails } = await end(id, Status.FAILED);
  ok(failureDetails.message.includes("no such order: 7"), failureDetails.message);
});

await check("failure caught", async (id) => {
  await start("Guarded", id, "8");
  const text = output(await end(id));
  ok(text.startsWith("caught") && text.includes("no such order: 8"), text);
});

await check("terminate", async (id) => {
  await start("Approval", id, 600);
  await client.terminateOrchestration(id, "enough");
  deepStrictEqual(output(await end(id, Status.TERMINATED)), "enough");
});

await check(
  "recursive terminate",
  async (id) => {
    await start("Tree", id);
    const child = `${id}-child`;
    await until(() => client.getOrchestrationState(child));
    await client.terminateOrchestration(id, sdk.terminateOptions({ recursive: true }));
    await end(id, Status.TERMINATED);
    await end(child, Status.TERMINATED);
  },
  { call: "terminateOptions" },
);

await check("suspend and resume", async (id) => {
  await start("Approval", id, 600);
  await client.waitForOrchestrationStart(id, false, 30);
  await client.suspendOrchestration(id);
  await client.raiseOrchestrationEvent(id, "approval", "Grace");
  await rejects(client.waitForOrchestrationCompletion(id, true, 0.5));
  deepStrictEqual((await client.getOrchestrationState(id)).runtimeStatus, Status.SUSPENDED);
  await client.resumeOrchestration(id);
  deepStrictEqual(output(await end(id)), "approved by Grace");
});

await check("scheduled start", async (id) => {
  const at = Date.now() + 1000;
  await client.scheduleNewOrchestration("Chain", undefined, id, new Date(at));
  deepStrictEqual((await client.getOrchestrationState(id)).runtimeStatus, Status.PENDING);
  await end(id);
  ok(Date.now() >= at, "ended before it was to start");
});

await check("the same id twice", async (id) => {
  await start("Approval", id, 600);
  await rejects(client.scheduleNewOrchestration("FanOut", 3, id), { code: 6 });
});

await check("the id of what has ended", async (id) => {
  for (const [input, sum] of [
    [2, 5],
    [3, 14],
  ]) {
    await start("FanOut", id, input);
    deepStrictEqual(output(await end(id)), sum);
  }
});

await check(
  "rewind",
  async (id) => {
    await start("Repairable", id, id);
    await end(id, Status.FAILED);
    await client.rewindInstance(id, "mended");
    deepStrictEqual(output(await end(id)), [`Hello, ${id}!`, `${id} is repaired`]);
  },
  { needs: "rewind", call: "rewindInstance" },
);

await check(
  "restart",
  async (id) => {
    await outcome("FanOut", 3, 14)(id);
    const again = await client.restartOrchestration(id, true);
    ok(again !== id, "the id is the same");
    deepStrictEqual(output(await end(again)), 14);
  },
  { call: "restartOrchestration" },
);

await check(
  "history",
  async (id) => {
    await start("Chain", id);
    await end(id);
    const counts = {};
    for (const { type } of await client.getOrchestrationHistory(id)) counts[type] = (counts[type] ?? 0) + 1;
    const { ExecutionStarted, TaskScheduled, TaskCompleted, ExecutionCompleted } = counts;
    deepStrictEqual([ExecutionStarted, TaskScheduled, TaskCompleted, ExecutionCompleted], [1, 3, 3, 1]);
  },
  { call: "getOrchestrationHistory" },
);

await check(
  "tags",
  async (id) => {
    await client.scheduleNewOrchestration("Chain", undefined, { instanceId: id, tags: { team: "blue" } });
    deepStrictEqual((await end(id)).tags, { team: "blue" });
  },
  { call: "getAllInstances" },
);

await check(
  "query in pages",
  async (id) => {
    for (const number of [1, 2, 3, 4, 5])
      await outcome("FanOut", number, [1, 5, 14, 30, 55][number - 1])(`${id}-${number}`);
    const found = [];
    const query = {
      instanceIdPrefix: `${id}-`,
      statuses: [Status.COMPLETED],
      pageSize: 2,
      fetchInputsAndOutputs: true,
    };
    for await (const state of client.getAllInstances(query)) found.push(output(state));
    deepStrictEqual(found, [1, 5, 14, 30, 55]);
  },
  { call: "getAllInstances" },
);

await check(
  "list of ids",
  async (id) => {
    const completedTimeFrom = new Date();
    for (const number of [1, 2, 3]) await outcome("FanOut", 3, 14)(`${id}-${number}`);
    const found = [];
    let page;
    do {
      const lastInstanceKey = page?.continuationToken;
      page = await client.listInstanceIds({
        runtimeStatus: [Status.COMPLETED],
        completedTimeFrom,
        pageSize: 2,
        lastInstanceKey,
      });
      found.push(...page.values);
    } while (page.hasMoreResults);
    deepStrictEqual(
      found,
      [1, 2, 3].map((number) => `${id}-${number}`),
    );
  },
  { call: "listInstanceIds" },
);

await check("purge", async (id) => {
  await start("Chain", id);
  await end(id);
  deepStrictEqual((await client.purgeOrchestration(id)).deletedInstanceCount, 1);
  deepStrictEqual(await client.getOrchestrationState(id), undefined);
});

await check("purge by filter", async (id) => {
  const criteria = new sdk.PurgeInstanceCriteria();
  criteria.setCreatedTimeFrom(new Date());
  criteria.setRuntimeStatusList([Status.COMPLETED]);
  await start("Chain", id);
  await end(id);
  await start("Approval", `${id}-open`, 600);
  criteria.setCreatedTimeTo(new Date());
  criteria.setTimeout(30_000);
  deepStrictEqual((await client.purgeOrchestration(criteria)).deletedInstanceCount, 1);
  deepStrictEqual(await client.getOrchestrationState(id), undefined);
  await client.terminateOrchestration(`${id}-open`, "enough");
  await end(`${id}-open`, Status.TERMINATED);
});

await check("a large payload", outcome("Echo", "é".repeat(160_000), "é".repeat(160_000)));

await check("nothing there", async (id) => {
  deepStrictEqual(await client.getOrchestrationState(id), undefined);
});

await client.stop();
process.exit();
