import { z } from "zod";
import type { Backend } from "../backend/backend.js";
import { ExitCode } from "../exit-codes.js";
import { readTimelines } from "../hub/read-timeline.js";
import { count, readFlags } from "../plan/flag-values.js";
import { styleFor } from "../report/text-style.js";
import { timelineText } from "../report/timeline/timeline-text.js";
import type { Timeline } from "../result/timeline-schema.js";
import type { CommandIo } from "./io.js";
import { onHub } from "./on-hub.js";
import { documentOf, unknownExitCode, unknownInstances, write } from "./status-call.js";

/** Deeper than orchestrations call each other on purpose. */
const DEEPEST = 8;

const timelineFlags = z.object({
  depth: count("--depth", 0, DEEPEST),
  json: z.boolean().default(false),
  connectionString: z.string().optional(),
  taskHub: z.string().optional(),
});

/** `fanout timeline`: what orchestrations waited for, and when. It only reads. */
export async function runTimelineCommand(ids: readonly string[], rawFlags: unknown, io: CommandIo): Promise<ExitCode> {
  const flags = readFlags(timelineFlags, rawFlags);
  return onHub(flags, io, async (backend, signal) => {
    const unknown: string[] = [];
    const timelines: Timeline[] = [];
    for (const id of new Set(ids)) {
      const found = await readTimelines(backend, id, { signal, depth: flags.depth });
      if (!found) unknown.push(id);
      else if (flags.json) timelines.push(...found);
      else show(found, io, timelines.push(...found) > found.length);
    }
    if (flags.json) write(io, documentOf(backend, contentOf(timelines, unknown, backend)));
    return unknownExitCode({ unknown }, { backend, io }) ?? ExitCode.Success;
  });
}

function show(timelines: readonly Timeline[], io: CommandIo, isAnother: boolean): void {
  write(io, `${isAnother ? "\n" : ""}${timelineText(timelines, styleFor(io.stdout))}`);
}

function contentOf(timelines: readonly Timeline[], unknown: readonly string[], backend: Backend): object {
  const error = unknownInstances({ unknown }, backend);
  return { timelines, unknown, ...(error && { error: error.facts }) };
}
