import { z } from "zod";
import type { Backend } from "../backend/backend.js";
import { ExitCode } from "../exit-codes.js";
import { readTimelines } from "../hub/read-timeline.js";
import { count, readFlags } from "../plan/flag-values.js";
import { writeFileWhole } from "../report/json.js";
import { checkOutputFiles } from "../report/output-files.js";
import { styleFor } from "../report/text-style.js";
import { timelinePage } from "../report/timeline-page.js";
import { timelineText } from "../report/timeline/timeline-text.js";
import { traceEventsJson } from "../report/timeline/trace-events.js";
import type { Timeline } from "../result/timeline-schema.js";
import type { CommandIo } from "./io.js";
import { onHub } from "./on-hub.js";
import { documentOf, unknownExitCode, unknownInstances, write } from "./status-call.js";

/** Deeper than orchestrations call each other on purpose. */
const DEEPEST = 8;

const timelineFlags = z.object({
  depth: count("--depth", 0, DEEPEST),
  json: z.boolean().default(false),
  html: z.string().optional(),
  traceEvents: z.string().optional(),
  connectionString: z.string().optional(),
  taskHub: z.string().optional(),
});

/** `fanout timeline`: what orchestrations waited for, and when. It only reads. */
export async function runTimelineCommand(ids: readonly string[], rawFlags: unknown, io: CommandIo): Promise<ExitCode> {
  const flags = readFlags(timelineFlags, rawFlags);
  const { depth, json, html, traceEvents } = flags;
  await checkOutputFiles({ html, "trace-events": traceEvents });
  const isKept = json || html !== undefined || traceEvents !== undefined;
  return onHub(flags, io, async (backend, signal) => {
    const unknown: string[] = [];
    const kept: (readonly Timeline[])[] = [];
    let shown = 0;
    for (const id of new Set(ids)) {
      const timelines = await readTimelines(backend, id, { signal, depth });
      if (!timelines) unknown.push(id);
      else if (!json) write(io, (shown++ > 0 ? "\n" : "") + timelineText(timelines, styleFor(io.stdout)));
      if (timelines && isKept) kept.push(timelines);
    }
    if (json) write(io, documentOf(backend, contentOf(kept.flat(), unknown, backend)));
    if (kept.length > 0) {
      if (html !== undefined) await writeFileWhole("--html", html, timelinePage(kept));
      if (traceEvents !== undefined) await writeFileWhole("--trace-events", traceEvents, traceEventsJson(kept.flat()));
    }
    return unknownExitCode({ unknown }, { backend, io }) ?? ExitCode.Success;
  });
}

function contentOf(timelines: readonly Timeline[], unknown: readonly string[], backend: Backend): object {
  const error = unknownInstances({ unknown }, backend);
  return { timelines, unknown, ...(error && { error: error.facts }) };
}
