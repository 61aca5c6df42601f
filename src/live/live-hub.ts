import { inertJson } from "../format/json-text.js";
import { LiveState } from "./live-state.js";
import type { LiveUpdate } from "./live-update.js";

/** The connection to one page. */
export interface Viewer {
  send(text: string): void;
  /** Bytes that the viewer has not taken yet. */
  readonly backlogBytes: number;
  /** Ends the connection at once. */
  drop(): void;
  /** Ends the connection when the viewer has taken what it was sent. */
  end(): void;
}

/** The event after the last update. */
export interface LastEvent {
  readonly name: string;
  readonly data: object;
}

interface Watching {
  /** The id of the update that it was sent last. */
  lastId: string | undefined;
  /** Updates that it was not sent, because it had not taken the one before. */
  missed: number;
}

/** A viewer that has missed more updates than this is dropped. */
const MOST_MISSED = 10;
/** After a lost connection a browser waits for this long. */
const RETRY_MS = 1_000;

/** The id of the last event of a run. */
export function endIdOf(runId: string): string {
  return `${runId}/ended`;
}

/**
 * Sends the updates of a run to any number of viewers, as server-sent events. Each event is serialised once. A slow viewer gets
 * nothing more until it has taken what it was sent, then what has changed meanwhile: its buffer never holds more than one event.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export class LiveHub {
  readonly #state = new LiveState();
  readonly #viewers = new Map<Viewer, Watching>();
  #last: string | undefined;

  /** @param runId told without an update, so that viewers know the end of which run they have seen */
  constructor(readonly runId?: string) {}

  get viewers(): number {
    return this.#viewers.size;
  }

  publish(update: LiveUpdate): void {
    const before = this.#state.id;
    this.#state.take(update);
    const { id } = this.#state;
    const shared = eventOf(id, update);
    for (const [viewer, watching] of this.#viewers) {
      if (viewer.backlogBytes > 0) {
        watching.missed += 1;
        if (watching.missed > MOST_MISSED) this.#drop(viewer);
        continue;
      }
      watching.missed = 0;
      viewer.send(watching.lastId === before ? shared : eventOf(id, this.#state.since(watching.lastId)));
      watching.lastId = id;
    }
  }

  /** @param lastId the id of the last event that the viewer has, if it comes back */
  add(viewer: Viewer, lastId: string | undefined): void {
    const { id } = this.#state;
    this.#viewers.set(viewer, { lastId: id, missed: 0 });
    viewer.send(`retry: ${RETRY_MS}\n\n`);
    if (id !== undefined) viewer.send(eventOf(id, this.#state.since(lastId)));
    if (this.#last !== undefined) this.#end(viewer, this.#last);
  }

  /** The latest update with the whole series. */
  get whole(): LiveUpdate | undefined {
    return this.#state.since(undefined);
  }

  /** Sends one more event, and ends the connections: also of viewers that come later, after all that they missed. */
  end({ name, data }: LastEvent): void {
    this.#last = `id: ${endIdOf(this.#state.runId ?? this.runId ?? "")}\nevent: ${name}\ndata: ${inertJson(JSON.stringify(data))}\n\n`;
    for (const [viewer, { lastId }] of this.#viewers) {
      if (lastId !== this.#state.id) viewer.send(eventOf(this.#state.id, this.#state.since(lastId)));
      this.#end(viewer, this.#last);
    }
  }

  /** The viewer has gone. */
  remove(viewer: Viewer): void {
    this.#viewers.delete(viewer);
  }

  dropAll(): void {
    for (const viewer of this.#viewers.keys()) this.#drop(viewer);
  }

  #end(viewer: Viewer, last: string): void {
    this.#viewers.delete(viewer);
    viewer.send(last);
    viewer.end();
  }

  #drop(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    viewer.drop();
  }
}

/** JSON has no line breaks outside of strings, and escapes those within. */
function eventOf(id: string | undefined, update: LiveUpdate | undefined): string {
  return `id: ${id}\nevent: update\ndata: ${inertJson(JSON.stringify(update))}\n\n`;
}
