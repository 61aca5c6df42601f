/**
 * A generator process of `fanout run --generators`: one shard of a run. It is forked with an IPC channel, and gets
 * everything by a message. A run whose parent is gone ends as by Ctrl-C.
 */
import { clientClock } from "../async/clock.js";
import { resolveConnection } from "../backend/connection-string.js";
import { openBackend } from "../backend/open-backend.js";
import { ExitCode } from "../exit-codes.js";
import { errorText } from "../format/error-text.js";
import { LoadTest, type LoadTestOutcome } from "../load/load-test.js";
import { withAllInputValues } from "../plan/orchestration-mix.js";
import type { FromGenerator, GeneratorTask, ToGenerator } from "./messages.js";

const PROGRESS_EVERY_MS = 250;

/** Resolves when the message was sent, or cannot be sent because the parent is gone. */
function tellParent(message: FromGenerator): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected && process.send !== undefined) process.send(message, undefined, undefined, () => resolve());
    else resolve();
  });
}

function onMessage<T extends ToGenerator["type"]>(type: T, act: (message: ToGenerator & { type: T }) => void): void {
  process.on("message", (message: ToGenerator) => {
    if (message.type === type) act(message as ToGenerator & { type: T });
  });
}

/** Aborts when the run is to end as by Ctrl-C. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  // A terminal sends Ctrl-C and SIGHUP to the parent and to this process. The parent decides what they mean.
  process.on("SIGINT", () => undefined);
  process.on("SIGHUP", () => undefined);
  process.once("SIGTERM", () => controller.abort());
  onMessage("interrupt", () => controller.abort());
  process.once("disconnect", () => {
    // After a first Ctrl-C, the parent leaves only because of a second one.
    if (controller.signal.aborted) process.exit(ExitCode.Interrupted);
    controller.abort();
  });
  return controller.signal;
}

async function run(task: GeneratorTask, interruption: AbortSignal): Promise<LoadTestOutcome> {
  const { connectionString, transport, hub, ...options } = task;
  const plan = withAllInputValues(task.plan);
  const backend = await openBackend(resolveConnection({ flag: connectionString }), { transport });
  const startsAt = Promise.withResolvers<number>();
  onMessage("start", ({ atMs }) => startsAt.resolve(atMs));
  const test = new LoadTest({
    ...options,
    plan,
    backend,
    clock: clientClock,
    coordination: {
      hub,
      startsAt: () => {
        void tellParent({ type: "ready" });
        return startsAt.promise;
      },
    },
    interruption,
    onLine: (text) => void tellParent({ type: "line", text }),
  });
  void ending.promise.then((reason) => test.abort(reason));
  const telling = setInterval(
    () => void tellParent({ type: "progress", snapshot: test.snapshot() }),
    PROGRESS_EVERY_MS,
  );
  try {
    return await test.run();
  } finally {
    clearInterval(telling);
    await tellParent({ type: "progress", snapshot: test.snapshot() });
    await test.close();
    backend.close();
  }
}

const ending = Promise.withResolvers<string>();
onMessage("end", ({ reason }) => ending.resolve(reason));
const signal = interruption();
onMessage("prepare", ({ task }) => {
  void run(task, signal)
    .then(
      async ({ result, gaveUp }) => await tellParent({ type: "ended", result, gaveUp }),
      async (error: unknown) => await tellParent({ type: "failed", message: errorText(error) }),
    )
    .then(() => process.exit(ExitCode.Success));
});
