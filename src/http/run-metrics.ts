import { UsageError } from "../errors.js";
import type { RunBuckets } from "../stats/latency-buckets.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import { refuseForeignPages, refuseTwoHosts } from "./access.js";
import { portOf } from "./port.js";
import type { RunLabels } from "./snapshot-metrics.js";
import { refuseUnknownRoutes } from "./unknown-route.js";

export interface RunMetricsOptions {
  /** 0 takes any free port. */
  readonly port: number;
  /** The current state of the run; called at each scrape. */
  readonly snapshot: () => LiveSnapshot;
  /** The latencies so far; called at each scrape. */
  readonly latencies: () => RunBuckets;
  readonly labels: RunLabels;
}

export interface RunMetrics {
  readonly port: number;
  /** Cuts off requests in progress, so that a run never waits for its observers. */
  close(): Promise<void>;
}

const HOST = "127.0.0.1";

/**
 * Serves a run's figures to Prometheus, at `/metrics` on the loopback interface. It imports its dependencies when it is
 * called, so that other runs do not load them.
 * @throws UsageError if it cannot listen on the port
 */
export async function startRunMetrics(options: RunMetricsOptions): Promise<RunMetrics> {
  const { port, snapshot, latencies, labels } = options;
  const [{ fastify }, { SnapshotMetrics }] = await Promise.all([import("fastify"), import("./snapshot-metrics.js")]);
  const metrics = new SnapshotMetrics(labels);
  const app = fastify({ forceCloseConnections: true });
  const actualPort = (): number => portOf(app.server.address());
  app.addHook("onRequest", refuseTwoHosts);
  app.addHook("onRequest", refuseForeignPages(HOST, actualPort));
  refuseUnknownRoutes(app, "/metrics is the only path.");
  app.get("/metrics", async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text(snapshot(), latencies())),
  );
  try {
    await app.listen({ port, host: HOST });
  } catch (error) {
    await app.close();
    throw portError(port, error);
  }
  return { port: actualPort(), close: () => app.close() };
}

function portError(port: number, error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const found = typeof code === "string" ? PORT_ERRORS[code] : undefined;
  if (found === undefined) return error;
  const problem = `--metrics-port: ${port} ${found.reason}.`;
  return new UsageError("unavailable-address", problem, { hint: found.hint, cause: error });
}

const PORT_ERRORS: Readonly<Record<string, { readonly reason: string; readonly hint: string }>> = {
  EADDRINUSE: {
    reason: `is in use on ${HOST}`,
    hint: "Choose another, 0 for any free one, or stop what listens there.",
  },
  EACCES: { reason: "needs rights that this user does not have", hint: "Choose one above 1023." },
};
