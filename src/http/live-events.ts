import type { ServerResponse } from "node:http";
import type { FastifyReply } from "fastify";
import type { LiveHub, Viewer } from "../live/live-hub.js";

/** For a viewer to take the last event. */
const END_PATIENCE_MS = 10_000;

/**
 * Answers a request with the events of a hub, until the viewer goes or the hub ends.
 * @param lastId the value of Last-Event-ID
 */
export function followHub(hub: LiveHub, reply: FastifyReply, lastId: string | undefined, onGone: () => void): void {
  reply.hijack();
  const { raw } = reply;
  // It went while the run was asked for its figures.
  if (raw.destroyed) return onGone();
  raw.writeHead(200, {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    // Kept alive after its end, it would hold up the end of the server.
    connection: "close",
  });
  const viewer = viewerOf(raw);
  raw.on("close", () => {
    hub.remove(viewer);
    onGone();
  });
  hub.add(viewer, lastId);
}

function viewerOf(response: ServerResponse): Viewer {
  return {
    send: (text) => void response.write(text),
    get backlogBytes() {
      return response.writableLength;
    },
    drop: () => void response.destroy(),
    end: () => {
      response.end();
      setTimeout(() => response.destroy(), END_PATIENCE_MS).unref();
    },
  };
}
