import { Counter, Gauge, Registry, collectDefaultMetrics } from "prom-client";
import { FANOUT_VERSION } from "../version.js";
import { CountedHistogram, type CountedTimes } from "./counted-histogram.js";

type Counts = Readonly<Record<string, number>>;

/** What a worker has done since it began, and what it holds. */
export interface WorkerFigures {
  readonly connected: boolean;
  readonly reconnects: number;
  readonly inFlight: Counts;
  /** By kind and outcome. */
  readonly items: Readonly<Record<string, Counts>>;
  readonly execution: Readonly<Record<string, CountedTimes>>;
  readonly episodes: {
    readonly first: number;
    readonly continued: number;
    readonly replayed: number;
    readonly withoutHistory: number;
  };
  readonly sessions: { readonly size: number; readonly evicted: number };
}

/** The metrics of a worker. Import this file only when needed: it loads prom-client. */
export class WorkerMetrics {
  readonly #registry = new Registry();
  readonly #connected = this.#gauge("fanout_worker_connected", "1 while it is connected to its backend, else 0.");
  readonly #reconnects = this.#counter("fanout_worker_reconnects_total", "Connections after the first one.");
  readonly #inFlight = this.#gauge(
    "fanout_worker_work_items_in_flight",
    "Work items that wait, are executed, or have a result that the backend has not accepted yet.",
    ["kind"],
  );
  readonly #items = this.#counter("fanout_worker_work_items_total", "Work items that it is done with.", [
    "kind",
    "outcome",
  ]);
  readonly #execution = new CountedHistogram(
    {
      name: "fanout_worker_execute_seconds",
      help: "Time of executions. That of an orchestrator is one episode, without its waits for its turn.",
      labelNames: ["kind"],
    },
    this.#registry,
  );
  readonly #episodes = this.#counter(
    "fanout_worker_episodes_total",
    "Episodes by what they began from: nothing, an extended session, or a history that they replayed.",
    ["from"],
  );
  readonly #requests = this.#counter(
    "fanout_worker_history_requests_total",
    "Episodes whose session was gone, so that the backend had to send them again with their history.",
  );
  readonly #sessions = this.#gauge("fanout_worker_sessions", "Extended sessions that it keeps.");
  readonly #evicted = this.#counter(
    "fanout_worker_sessions_evicted_total",
    "Extended sessions that it dropped because of their number, memory or idle time.",
  );

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
    this.#gauge("fanout_build_info", "The fanout of this worker.", ["version", "node"]).set(
      { version: FANOUT_VERSION, node: process.versions.node },
      1,
    );
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Without figures, the worker has not begun. */
  text(figures: WorkerFigures | undefined): Promise<string> {
    this.#connected.set(figures?.connected ? 1 : 0);
    if (figures !== undefined) this.#take(figures);
    return this.#registry.metrics();
  }

  #take({ reconnects, inFlight, items, execution, episodes, sessions }: WorkerFigures): void {
    set(this.#reconnects, [[{}, reconnects]]);
    for (const [kind, count] of Object.entries(inFlight)) this.#inFlight.set({ kind }, count);
    set(
      this.#items,
      Object.entries(items).flatMap(([kind, outcomes]) =>
        Object.entries(outcomes).map(([outcome, count]) => [{ kind, outcome }, count] as const),
      ),
    );
    this.#execution.set(Object.entries(execution).map(([kind, times]) => [{ kind }, times]));
    set(this.#episodes, [
      [{ from: "nothing" }, episodes.first],
      [{ from: "session" }, episodes.continued],
      [{ from: "history" }, episodes.replayed],
    ]);
    set(this.#requests, [[{}, episodes.withoutHistory]]);
    this.#sessions.set(sessions.size);
    set(this.#evicted, [[{}, sessions.evicted]]);
  }

  #gauge(name: string, help: string, labelNames: string[] = []): Gauge {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] });
  }

  #counter(name: string, help: string, labelNames: string[] = []): Counter {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }
}

/** The values of a counter are known as a whole. */
function set(counter: Counter, values: readonly (readonly [labels: Record<string, string>, value: number])[]): void {
  counter.reset();
  for (const [labels, value] of values) counter.inc(labels, value);
}
