import type { ServerResponse } from "node:http";
import type { FastifyReply } from "fastify";
import type { LiveHub, Viewer } from "../live/live-hub.js";
import type { Session } from "./door/sessions.js";

/** For a viewer to take the last event. */
const END_PATIENCE_MS = 10_000;

interface Following {
  /** The value of Last-Event-ID. */
  readonly lastId: string | undefined;
  /** By which the viewer came in, if it did. */
  readonly session?: Session | undefined;
  readonly onGone: () => void;
}

/**
 * Answers a request with the events of a hub, until the viewer goes, its session ends, or the hub ends. A session that expires
 * ends at the next event.
 */
export function followHub(hub: LiveHub, reply: FastifyReply, { lastId, session, onGone }: Following): void {
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
  const viewer = viewerOf(raw, {
    mayStay: () => session === undefined || session.isOpen,
    leave: () => leave(),
  });
  const leave = (): void => {
    hub.remove(viewer);
    viewer.end();
  };
  session?.closed.addEventListener("abort", leave);
  raw.on("close", () => {
    session?.closed.removeEventListener("abort", leave);
    hub.remove(viewer);
    onGone();
  });
  hub.add(viewer, lastId);
}

interface Stay {
  readonly mayStay: () => boolean;
  readonly leave: () => void;
}

function viewerOf(response: ServerResponse, { mayStay, leave }: Stay): Viewer {
  return {
    send: (text) => {
      if (mayStay()) response.write(text);
      else leave();
    },
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
