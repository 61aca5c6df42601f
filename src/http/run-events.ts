import { Readable } from "node:stream";
import { inertJson } from "../format/json-text.js";
import type { ServedRun } from "../runs/served-run.js";
import { runBody } from "./run-schemas.js";

/** A viewer that has taken nothing for this long is dropped. */
const PATIENCE_MS = 30_000;
/** After a lost connection a browser waits for this long. */
const RETRY_MS = 1_000;

/**
 * The snapshots of a run after the one with this id, and its end, as server-sent events. A viewer is given the next event
 * when it has taken the last, so that nothing is kept for a slow one.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function runEvents(run: ServedRun, lastId: number, patienceMs = PATIENCE_MS): Readable {
  const slow = setTimeout(() => stream.destroy(), patienceMs);
  const stream = Readable.from(eventsAfter(run, lastId, slow), { objectMode: false });
  stream.once("close", () => clearTimeout(slow));
  return stream;
}

async function* eventsAfter(run: ServedRun, lastId: number, slow: NodeJS.Timeout): AsyncGenerator<string> {
  yield `retry: ${RETRY_MS}\n\n`;
  for (let id = lastId; ;) {
    slow.refresh();
    const { hasEnded } = run;
    const changed = run.changed();
    const point = run.series.after(id);
    if (point !== undefined) {
      id = point.id;
      yield eventText("snapshot", id, point.snapshot);
    } else if (hasEnded) {
      yield eventText("ended", run.series.lastId + 1, runBody(run));
      return;
    } else {
      await changed;
    }
  }
}

function eventText(event: string, id: number, data: object): string {
  return `id: ${id}\nevent: ${event}\ndata: ${inertJson(JSON.stringify(data))}\n\n`;
}
