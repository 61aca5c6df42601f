import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { isIP } from "node:net";
import type { ErrorCode } from "../errors.js";
import { errorText } from "../format/error-text.js";
import { hasTwoHosts } from "./access.js";
import { listenError, portOf } from "./port.js";
import type { WorkerFigures, WorkerMetrics } from "./worker-metrics.js";

export interface WorkerStatusServer {
  /** For example `http://127.0.0.1:5001`. */
  readonly url: string;
  close(): void;
}

export interface WorkerState {
  readonly connected: boolean;
  readonly connectedSince: Date | undefined;
  readonly draining: boolean;
  /** Work items. */
  readonly inFlight: number;
  readonly executed: { readonly activities: number; readonly episodes: number };
}

export interface WorkerStatusOptions {
  readonly host: string;
  /** Of several, the first free one; 0 takes any free port. */
  readonly ports: readonly number[];
  readonly worker: () => WorkerState;
  /** For Prometheus; undefined before the worker begins. */
  readonly figures: () => WorkerFigures | undefined;
}

const JSON_TYPE = "application/json";
const ALTERNATIVES = new Intl.ListFormat("en", { type: "disjunction" });

interface Page {
  readonly status: 200 | 503;
  readonly type: string;
  readonly text: string;
}

const JSON_PAGES: Readonly<Record<string, (worker: WorkerState) => { status: 200 | 503; body: object }>> = {
  "/status": ({ connectedSince, ...worker }) => {
    const contract = { status: "Running", service: "Worker Service", time: new Date().toISOString() };
    return { status: 200, body: { ...contract, ...worker, ...(connectedSince && { connectedSince }) } };
  },
  // Of the process: whoever restarts a worker because its backend is away loses work that it holds.
  "/health": () => ({ status: 200, body: { status: "Healthy" } }),
  "/ready": ({ draining, connected }) => {
    if (connected && !draining) return { status: 200, body: { ready: true } };
    return { status: 503, body: { ready: false, reason: draining ? "draining" : "no connection to the backend" } };
  },
};

const METRICS = "/metrics";
const PATHS = [...Object.keys(JSON_PAGES), METRICS];

/**
 * Serves `/status`, `/health`, `/ready` and `/metrics`.
 * @throws UsageError if it cannot listen on any of the ports
 */
export async function startWorkerStatus({ host, ports, ...pages }: WorkerStatusOptions): Promise<WorkerStatusServer> {
  const pageAt = pagesOf(pages);
  const server = createServer((request, response) => {
    answer(request, response, pageAt).catch((error: unknown) => refuse(response, 500, errorText(error)));
  });
  const port = await listenOnFirst(server, host, ports);
  return {
    url: `http://${isIP(host) === 6 ? `[${host}]` : host}:${port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function listenOnFirst(server: Server, host: string, [port = 0, ...others]: readonly number[]): Promise<number> {
  try {
    server.listen(port, host);
    await once(server, "listening");
    return portOf(server.address());
  } catch (error) {
    const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    if (isTaken && others.length > 0) return listenOnFirst(server, host, others);
    throw listenError(host, port, error);
  }
}

type PageAt = (path: string) => Promise<Page> | undefined;

function pagesOf({ worker, figures }: Pick<WorkerStatusOptions, "worker" | "figures">): PageAt {
  // Measures from the first scrape on: the lag of the event loop costs a timer.
  let metrics: Promise<WorkerMetrics> | undefined;
  return (path) => {
    if (path === METRICS) {
      metrics ??= import("./worker-metrics.js").then(({ WorkerMetrics }) => new WorkerMetrics());
      metrics.catch(() => (metrics = undefined));
      return metrics.then(async (metrics) => ({
        status: 200,
        type: metrics.contentType,
        text: await metrics.text(figures()),
      }));
    }
    const page = Object.hasOwn(JSON_PAGES, path) ? JSON_PAGES[path]?.(worker()) : undefined;
    return page && Promise.resolve({ status: page.status, type: JSON_TYPE, text: JSON.stringify(page.body) });
  };
}

async function answer(
  { method, url = "/", rawHeaders }: IncomingMessage,
  response: ServerResponse,
  pageAt: PageAt,
): Promise<void> {
  if (hasTwoHosts(rawHeaders)) return refuse(response, 400, "Expected one Host header, found several");
  const path = url.split("?", 1)[0] ?? url;
  const page = pageAt(path);
  if (page === undefined) {
    refuse(response, 404, `Expected ${ALTERNATIVES.format(PATHS)}, found ${path}`);
  } else if (method !== "GET" && method !== "HEAD") {
    response.setHeader("Allow", "GET, HEAD");
    refuse(response, 405, `Expected GET or HEAD, found ${method}`);
  } else {
    send(response, await page);
  }
}

function refuse(response: ServerResponse, status: keyof typeof CODES, error: string): void {
  send(response, { status, type: JSON_TYPE, text: JSON.stringify({ error, code: CODES[status] }) });
}

const CODES = {
  400: "invalid-request",
  404: "not-found",
  405: "method-not-allowed",
  500: "internal-error",
} as const satisfies Record<number, ErrorCode>;

/** For HEAD, Node sends only the headers. */
function send(response: ServerResponse, { status, type, text }: Omit<Page, "status"> & { status: number }): void {
  response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(text) });
  response.end(text);
}
