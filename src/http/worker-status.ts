import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { ErrorCode } from "../errors.js";
import { hasTwoHosts } from "./access.js";
import { listenError, portOf } from "./port.js";

export interface WorkerStatusServer {
  /** For example `http://127.0.0.1:5001`. */
  readonly url: string;
  close(): void;
}

const PAGES: Readonly<Record<string, () => object>> = {
  "/status": () => ({ status: "Running", service: "Worker Service", time: new Date().toISOString() }),
  "/health": () => ({ status: "Healthy" }),
};

/**
 * Serves `/status` and `/health` on the loopback interface. Port 0 takes any free port.
 * @throws UsageError if it cannot listen on the port
 */
export async function startWorkerStatus(port: number): Promise<WorkerStatusServer> {
  const server = createServer(answer).listen(port, HOST);
  try {
    await once(server, "listening");
  } catch (error) {
    throw listenError(HOST, port, error);
  }
  return {
    url: `http://${HOST}:${portOf(server.address())}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const HOST = "127.0.0.1";

function answer({ method, url = "/", rawHeaders }: IncomingMessage, response: ServerResponse): void {
  if (hasTwoHosts(rawHeaders)) return refuse(response, 400, "Expected one Host header, found several");
  const path = url.split("?", 1)[0] ?? url;
  const page = Object.hasOwn(PAGES, path) ? PAGES[path] : undefined;
  if (page === undefined) {
    refuse(response, 404, `Expected ${Object.keys(PAGES).join(" or ")}, found ${path}`);
  } else if (method !== "GET" && method !== "HEAD") {
    response.setHeader("Allow", "GET, HEAD");
    refuse(response, 405, `Expected GET or HEAD, found ${method}`);
  } else {
    json(response, 200, page());
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
