import { LiveHub } from "../live/live-hub.js";
import type { LivePhase, LiveUpdate } from "../live/live-update.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import type { Watched } from "./listed-run.js";

const MOST_LINES = 10;
const BEAT_MS = 1_000;
/** For the answer of a run that is watched again. */
const FRESH_PATIENCE_MS = 500;

export interface RunBroadcastOptions {
  /** Before the process of the run says anything. */
  readonly first: LiveUpdate;
  /** The latest figures, which come more often than updates and also while nobody looks. */
  readonly snapshot: () => LiveSnapshot | undefined;
  readonly lines: () => readonly string[];
  /** Tells the process of the run whether somebody looks. */
  readonly watch: (isWatched: boolean) => void;
}

/** What the viewers of a run in another process are shown. While there are none, that process is not asked. */
export class RunBroadcast implements Watched {
  readonly hub = new LiveHub();
  readonly #options: RunBroadcastOptions;
  #latest: LiveUpdate;
  /** What the server knows better than the process of the run. */
  #phase: LivePhase | undefined;
  #beating: NodeJS.Timeout | undefined;
  /** What the process of the run was told last. */
  #isWatched = false;
  #hasTold = false;
  /** Of those who wait for the answer of the process. */
  #fresh: PromiseWithResolvers<void> | undefined;
  #isOver = false;

  constructor(options: RunBroadcastOptions) {
    this.#options = options;
    this.#latest = options.first;
    this.hub.publish(options.first);
  }

  /** The latest update with the whole series. */
  get whole(): LiveUpdate {
    return this.hub.whole ?? this.#latest;
  }

  take(update: LiveUpdate): void {
    this.#publish(update);
    this.#hasTold = true;
    this.#fresh?.resolve();
  }

  enter(phase: LivePhase): void {
    this.#phase = phase;
    this.#repeat();
  }

  /** No more comes. `last` is what the viewers get as the last event. */
  end(phase: LivePhase, last: { readonly name: string; readonly data: object }): void {
    this.#isOver = true;
    clearInterval(this.#beating);
    this.enter(phase);
    this.#fresh?.resolve();
    this.hub.end(last);
  }

  /** Resolves when a viewer that comes now is shown the run as it is now. */
  async refreshed(): Promise<void> {
    if (this.#isOver || this.#beating !== undefined) return;
    if (this.#fresh !== undefined) return this.#fresh.promise;
    this.#fresh = Promise.withResolvers();
    this.#watch(true);
    const timer = setTimeout(this.#fresh.resolve, FRESH_PATIENCE_MS);
    await this.#fresh.promise;
    clearTimeout(timer);
    this.#fresh = undefined;
  }

  viewersChanged(): void {
    const isWatched = this.hub.viewers > 0 && !this.#isOver;
    this.#watch(isWatched);
    if (isWatched === (this.#beating !== undefined)) return;
    clearInterval(this.#beating);
    this.#beating = isWatched ? setInterval(() => this.#beat(), BEAT_MS) : undefined;
  }

  #watch(isWatched: boolean): void {
    if (isWatched === this.#isWatched) return;
    this.#isWatched = isWatched;
    this.#options.watch(isWatched);
  }

  /** A page that hears nothing takes the connection for lost, also while the process of the run starts or is cleaned up after. */
  #beat(): void {
    if (!this.#hasTold) this.#repeat();
    this.#hasTold = false;
  }

  #repeat(): void {
    const { snapshot = this.#latest.snapshot } = { snapshot: this.#options.snapshot() };
    this.#publish({ ...this.#latest, snapshot, series: { ...this.#latest.series, intervals: [] } });
  }

  #publish(update: LiveUpdate): void {
    const { phase } = update;
    this.#latest = { ...update, phase: this.#phase ?? phase, lines: this.#options.lines().slice(-MOST_LINES) };
    this.hub.publish(this.#latest);
  }
}
