import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { isIP } from "node:net";
import type { ErrorCode } from "../errors.js";
import { hasTwoHosts } from "./access.js";
import { listenError, portOf } from "./port.js";

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
}

const ALTERNATIVES = new Intl.ListFormat("en", { type: "disjunction" });

interface Page {
  readonly status: 200 | 503;
  readonly body: object;
}

const PAGES: Readonly<Record<string, (worker: WorkerState) => Page>> = {
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

/**
 * Serves `/status`, `/health` and `/ready`.
 * @throws UsageError if it cannot listen on any of the ports
 */
export async function startWorkerStatus({ host, ports, worker }: WorkerStatusOptions): Promise<WorkerStatusServer> {
  const server = createServer((request, response) => answer(request, response, worker()));
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

function answer(
  { method, url = "/", rawHeaders }: IncomingMessage,
  response: ServerResponse,
  worker: WorkerState,
): void {
  if (hasTwoHosts(rawHeaders)) return refuse(response, 400, "Expected one Host header, found several");
  const path = url.split("?", 1)[0] ?? url;
  const page = Object.hasOwn(PAGES, path) ? PAGES[path] : undefined;
  if (page === undefined) {
    refuse(response, 404, `Expected ${ALTERNATIVES.format(Object.keys(PAGES))}, found ${path}`);
  } else if (method !== "GET" && method !== "HEAD") {
    response.setHeader("Allow", "GET, HEAD");
    refuse(response, 405, `Expected GET or HEAD, found ${method}`);
  } else {
    const { status, body } = page(worker);
    json(response, status, body);
  }
}

function refuse(response: ServerResponse, status: keyof typeof CODES, error: string): void {
  json(response, status, { error, code: CODES[status] });
}

const CODES = {
  400: "invalid-request",
  404: "not-found",
  405: "method-not-allowed",
} as const satisfies Record<number, ErrorCode>;

/** For HEAD, Node sends only the headers. */
function json(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) });
  response.end(text);
}
