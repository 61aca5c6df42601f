/**
 * A generator process of `fanout run --generators`: one shard of a run. It is forked with an IPC channel, and gets
 * everything by a message. A run whose parent is gone ends as by Ctrl-C.
 */
import { clientClock } from "../async/clock.js";
import { resolveConnection } from "../backend/connection-string.js";
import { openBackend } from "../backend/open-backend.js";
import { LoadTest, type LoadTestOutcome } from "../load/load-test.js";
import { withAllInputValues } from "../plan/orchestration-mix.js";
import type { Timeline } from "../result/timeline-schema.js";
import { ChangedIntervals } from "../stats/changed-intervals.js";
import { seriesPartOf } from "../stats/merged-series.js";
import type { GeneratorTask, ShardPart } from "./messages.js";
import { onMessage, takeTask, tellParent, tellingLatencies, tellingParts, tellingProgress } from "./parent.js";

async function run(task: GeneratorTask, interruption: AbortSignal): Promise<LoadTestOutcome> {
  const { connectionString, transport, hub, tellsLatencies, tellsTimelines, isJudged, judged, ...options } = task;
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
    ...(tellsTimelines && {
      onTimelines: (timelines: readonly Timeline[]) => void tellParent({ type: "timelines", timelines }),
    }),
  });
  const changed = new ChangedIntervals();
  const part = (most: number): ShardPart => {
    const { seriesSoFar } = test;
    return {
      series: seriesPartOf(seriesSoFar.widthMs, changed.next(seriesSoFar, most)),
      stalls: test.stallsSoFar(),
      idle: test.idleSoFar(),
    };
  };
  const parts = { part, standing: () => test.standingPart(judged), isJudged };
  const work = (): Promise<LoadTestOutcome> => tellingParts(parts, () => tellingProgress(test, () => test.run()));
  void ending.promise.then((reason) => test.abort(reason));
  try {
    return await (tellsLatencies ? tellingLatencies(test, work) : work());
  } finally {
    await test.close();
    backend.close();
  }
}

const ending = Promise.withResolvers<string>();
onMessage("end", ({ reason }) => ending.resolve(reason));
takeTask(run, "exit-at-once");
