import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";

const HEALTH_PATH = "/healthz";
const HINT =
  "This is the gRPC port of a fanout emulator: it speaks the Durable Task protocol over HTTP/2.\n" +
  `GET ${HEALTH_PATH} tells whether it is up.\n`;

/** It listens nowhere: it is handed connections that turn out to be HTTP/1. Each has one answer. */
const server = createServer((request, response) => {
  response.setHeader("connection", "close");
  answer(request, response);
});

/** Answers HTTP/1 on a socket: probes that do not know gRPC, and browsers of those who wonder what is there. */
export function serveHttp1(socket: Socket): void {
  server.emit("connection", socket);
}

function answer({ method = "", url = "" }: IncomingMessage, response: ServerResponse): void {
  const [path] = url.split("?");
  if (path !== HEALTH_PATH) response.writeHead(404, { "content-type": "text/plain; charset=utf-8" }).end(HINT);
  else if (method !== "GET" && method !== "HEAD") response.writeHead(405, { allow: "GET, HEAD" }).end();
  else response.writeHead(200, { "content-type": "application/json; charset=utf-8" }).end('{"status":"Healthy"}\n');
}
