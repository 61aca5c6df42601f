/**
 * A generator process of `fanout run --generators`: one shard of a run. It is forked with an IPC channel, and gets
 * everything by a message. A run whose parent is gone ends as by Ctrl-C.
 */
import { clientClock } from "../async/clock.js";
import { resolveConnection } from "../backend/connection-string.js";
import { openBackend } from "../backend/open-backend.js";
import { LoadTest, type LoadTestOutcome } from "../load/load-test.js";
import { withAllInputValues } from "../plan/orchestration-mix.js";
import type { GeneratorTask } from "./messages.js";
import { onMessage, takeTask, tellParent, tellingProgress } from "./parent.js";

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
  try {
    return await tellingProgress(test, () => test.run());
  } finally {
    await test.close();
    backend.close();
  }
}

const ending = Promise.withResolvers<string>();
onMessage("end", ({ reason }) => ending.resolve(reason));
takeTask(run, "exit-at-once");
