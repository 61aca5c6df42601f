// The workload of the interop checks, hosted as the SDK's documentation shows: worker.mjs ADDRESS SDK-FOLDER [PART].
import { loadSdk } from "./sdk.mjs";

const [address, folder, part = "all"] = process.argv.slice(2);
const sdk = loadSdk(folder);
// Dapr's SDK logs to the console, in whose last place "ready" has to be told from it.
console.log = () => {};
console.info = () => {};

const attempts = new Map();
function attempt(key) {
  const count = (attempts.get(key) ?? 0) + 1;
  attempts.set(key, count);
  return count;
}

const greet = async (_ctx, name) => `Hello, ${name}!`;
const square = async (_ctx, number) => number * number;

/** Fails twice for each key. */
const flaky = async (_ctx, key) => {
  const count = attempt(key);
  if (count < 3) throw new Error(`attempt ${count} of ${key}`);
  return count;
};

/** Fails once for each key. */
const brittle = async (_ctx, key) => {
  if (attempt(key) === 1) throw new Error(`${key} is broken`);
  return `${key} is repaired`;
};

const fail = async (_ctx, order) => {
  throw new RangeError(`no such order: ${order}`);
};

const retry = sdk.RetryPolicy && new sdk.RetryPolicy({ maxNumberOfAttempts: 3, firstRetryIntervalInMilliseconds: 50 });

const orchestrators = {
  async *Chain(ctx) {
    const greetings = [];
    for (const city of ["Tokyo", "Seattle", "Zürich 🚀"]) greetings.push(yield ctx.callActivity(greet, city));
    return greetings;
  },

  async *FanOut(ctx, count) {
    const tasks = Array.from({ length: count }, (_, number) => ctx.callActivity(square, number + 1));
    const squares = yield sdk.whenAll(tasks);
    return squares.reduce((sum, value) => sum + value, 0);
  },

  async *Parent(ctx, counts) {
    return yield sdk.whenAll(counts.map((count) => ctx.callSubOrchestrator("FanOut", count)));
  },

  async *Tree(ctx) {
    const instanceId = `${ctx.instanceId}-child`;
    // Microsoft's SDK takes options, Dapr's the id.
    return yield ctx.callSubOrchestrator("Approval", 3600, sdk.RetryPolicy ? { instanceId } : instanceId);
  },

  async *Approval(ctx, timeoutSeconds) {
    const approved = ctx.waitForExternalEvent("approval");
    const timedOut = ctx.createTimer(timeoutSeconds);
    const winner = yield sdk.whenAny([approved, timedOut]);
    return winner === timedOut ? "timed out" : `approved by ${approved.getResult()}`;
  },

  async *Nap(ctx, seconds) {
    const begun = ctx.currentUtcDateTime.getTime();
    yield ctx.createTimer(seconds);
    return ctx.currentUtcDateTime.getTime() - begun >= seconds * 1000;
  },

  async *CountToFive(ctx, number) {
    yield ctx.callActivity(square, number);
    if (number === 5) return number;
    return void ctx.continueAsNew(number + 1, false);
  },

  async *Collect(ctx, items) {
    const collected = [...items, yield ctx.waitForExternalEvent("item")];
    if (collected.length === 3) return collected;
    return void ctx.continueAsNew(collected, true);
  },

  async *Report(ctx) {
    ctx.setCustomStatus("halfway");
    yield ctx.waitForExternalEvent("go");
    ctx.setCustomStatus("there");
    return "done";
  },

  async *Notify(ctx, target) {
    ctx.sendEvent(target, "approval", "a colleague");
    yield ctx.callActivity(square, 1);
    return "told";
  },

  async *Persist(ctx, key) {
    return yield ctx.callActivity(flaky, key, { retry });
  },

  async *FlakyChild(ctx, key) {
    return yield ctx.callActivity(flaky, key);
  },

  async *PersistChild(ctx, key) {
    return yield ctx.callSubOrchestrator("FlakyChild", key, { retry });
  },

  async *Fragile(ctx, order) {
    return yield ctx.callActivity(fail, order);
  },

  async *Guarded(ctx, order) {
    try {
      return yield ctx.callActivity(fail, order);
    } catch (error) {
      return `caught ${error.message}`;
    }
  },

  async *Repairable(ctx, key) {
    const greeting = yield ctx.callActivity(greet, key);
    return [greeting, yield ctx.callActivity(brittle, key)];
  },

  async *Echo(ctx, text) {
    yield ctx.callActivity(square, 1);
    return text;
  },
};

// Dapr's SDK takes the address alone.
const quiet = sdk.NoOpLogger && { hostAddress: address, logger: new sdk.NoOpLogger() };
const worker = new sdk.TaskHubGrpcWorker(part === "all" ? (quiet ?? address) : { ...quiet, workItemFilters: "auto" });
if (part !== "activities")
  for (const [name, orchestrator] of Object.entries(orchestrators)) worker.addNamedOrchestrator(name, orchestrator);

if (part !== "orchestrators") {
  for (const [name, activity] of Object.entries({ greet, square, flaky, brittle, fail }))
    worker.addNamedActivity(name, activity);
}
await worker.start();
process.stdout.write("ready\n");
process.stdin.resume().on("end", () => process.exit(0));
