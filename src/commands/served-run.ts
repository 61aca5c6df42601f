/**
 * The process of a run that `fanout serve` starts. It is forked with an IPC channel, and gets everything by a message.
 * When the server is gone, the run ends as by Ctrl-C.
 */
import { resolveConnection } from "../backend/connection-string.js";
import { openBackend } from "../backend/open-backend.js";
import { chooseTransport } from "../backend/transport.js";
import { clientClock } from "../async/clock.js";
import { oneLine } from "../format/one-line.js";
import { takeTask, tellParent, tellingLatencies, tellingProgress, tellingUpdates } from "../generators/parent.js";
import { requireFreeRunIds } from "../load/free-run-id.js";
import type { LoadTestOutcome } from "../load/load-test.js";
import { generatorsOf } from "../plan/generators-flag.js";
import { hasLeft } from "../runs/has-left.js";
import type { RunTask } from "../runs/run-task.js";
import { feedOf } from "./live-feed.js";
import { machineOf } from "./run.js";
import { parseRunCall } from "./run-call.js";
import { judgedRun, judgingOf, loadTestOf } from "./run-once.js";
import { terminateLeft } from "./terminate-left.js";

const onLine = (line: string): void => void tellParent({ type: "line", text: oneLine(line) });

async function run({ flags, runId, connectionString }: RunTask, interruption: AbortSignal): Promise<LoadTestOutcome> {
  const call = parseRunCall(flags);
  const connection = resolveConnection({ flag: connectionString });
  const generators = generatorsOf(call.plan, call.generators, machineOf(connection, call.plan)).count;
  const backend = await openBackend(connection, {
    onNotice: onLine,
    transport: chooseTransport(connection, call.transport),
  });
  try {
    if (call.runId !== undefined) await requireFreeRunIds(backend, [runId], undefined, interruption);
    const test = loadTestOf(
      { generators, isCollected: true, ...judgingOf(call) },
      {
        plan: call.plan,
        backend,
        runId,
        clock: clientClock,
        startAtMs: call.startAtMs,
        attended: false,
        leave: call.leave,
        replay: call.replay,
        interruption,
        onLine,
      },
    );
    // While there is a server, it terminates what the run could not.
    const client = () => Promise.resolve(backend.client);
    try {
      await tellParent({ type: "ready" });
      const feed = feedOf({ backend, call, runId, number: 1 }, test);
      const work = (): Promise<LoadTestOutcome> => tellingProgress(test, () => judgedRun(test, call));
      const outcome = await tellingUpdates(feed, () => tellingLatencies(test, work));
      if (!process.connected && hasLeft(outcome.result)) await terminateLeft(client, { runId, command: "" });
      return outcome;
    } catch (error) {
      if (!process.connected) await terminateLeft(client, { runId, command: "" });
      throw error;
    } finally {
      await test.close();
    }
  } finally {
    backend.close();
  }
}

takeTask(run, "end-in-order");
