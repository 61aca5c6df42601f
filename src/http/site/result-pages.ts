import type { FastifyInstance } from "fastify";
import type { Backend } from "../../backend/backend.js";
import { UsageError } from "../../errors.js";
import { readTimelines } from "../../hub/read-timeline.js";
import { comparisonsHtml } from "../../report/pages.js";
import { timelinePage } from "../../report/timeline-page.js";
import type { ServedRuns } from "../../runs/served-runs.js";
import { compareCandidates } from "../../stats/comparison.js";
import { CallSlots } from "../call-slots.js";
import { HttpError } from "../http-error.js";
import { tooManyReads } from "./too-many-reads.js";
import { sendReport } from "../page-response.js";
import { Patience } from "../patience.js";
import { resultOf, runOf } from "../run-of.js";

/** A history has up to a million events, which are in memory while it is read. */
const TIMELINES_AT_A_TIME = 2;
const MOST_EVENTS = 200_000;
const DEEPEST = 3;
/** It reads a history in parts, and does not hear of each. */
const TIMELINE_PATIENCE_MS = 30_000;

/** `/compare`: two results of the server side by side. */
export function addComparison(app: FastifyInstance, runs: ServedRuns): void {
  app.get<{ Querystring: Readonly<Record<string, unknown>> }>(
    "/compare",
    { schema: { hide: true } },
    async ({ query }, reply) => {
      const [base, fresh] = [idIn(query, "baseline"), idIn(query, "new")];
      const [baseResult, freshResult] = await Promise.all([base, fresh].map((id) => resultOf(runOf(runs, id))));
      const comparisons = orWrong(() =>
        compareCandidates([baseResult!], [{ runs: [freshResult!], names: { base, new: fresh } }]),
      );
      return sendReport(reply, await comparisonsHtml(comparisons, { isServed: true }));
    },
  );
}

/** `/timelines/ID`: what one orchestration waited for, and when. */
export function addTimelines(app: FastifyInstance, backend: () => Promise<Backend>): void {
  const slots = new CallSlots(TIMELINES_AT_A_TIME, () =>
    tooManyReads(`Other timelines are being read, and the server reads ${TIMELINES_AT_A_TIME} at a time.`),
  );
  app.get<{ Params: { instanceId: string } }>(
    "/timelines/:instanceId",
    { schema: { hide: true } },
    async ({ params: { instanceId } }, reply) => {
      using patience = new Patience(TIMELINE_PATIENCE_MS);
      const { signal } = patience;
      const timelines = await slots.use(signal, async () => {
        patience.progressed();
        return readTimelines(await backend(), instanceId, { signal, depth: DEEPEST, mostEvents: MOST_EVENTS });
      });
      if (timelines === undefined) {
        throw new HttpError(404, "The task hub has no instance of that id.", {
          code: "instance-not-found",
          hint: "It may have been deleted, or be on another task hub.",
        });
      }
      return sendReport(reply, timelinePage([timelines], { isServed: true }));
    },
  );
}

function idIn(query: Readonly<Record<string, unknown>>, name: "baseline" | "new"): string {
  const id = query[name];
  if (typeof id === "string" && id !== "") return id;
  throw new HttpError(
    400,
    `${name}: expected the id of a run, found ${id === undefined ? "none" : "something else"}.`,
    {
      field: name,
      hint: "Choose two runs on the first page.",
    },
  );
}

function orWrong<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new HttpError(400, error.problem, { code: error.code, hint: error.hint, cause: error });
  }
}
