import type { FastifyInstance } from "fastify";
import { UsageError } from "../errors.js";
import type { LiveHub } from "../live/live-hub.js";
import { liveShell } from "../report/html/live-shell.js";
import { STYLE } from "../report/html/style.js";
import { refuseForeignPages, refuseOtherSites, refuseOtherSitesExceptLinks, refuseTwoHosts } from "./access.js";
import { HttpError } from "./http-error.js";
import { followHub } from "./live-events.js";
import { addLiveAssets } from "./live-assets.js";
import { pagePolicy, REPORT_POLICY } from "./page-response.js";
import { portOf } from "./port.js";
import { refuseUnknownRoutes } from "./unknown-route.js";

export interface LivePageOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly hub: LiveHub;
  /** The finished report; undefined before. */
  readonly report: () => string | undefined;
  /** Publishes the run as it is now. Called for the first viewer: while there is none, nothing is published. */
  readonly refresh: () => void;
  /** The number of viewers has changed. */
  readonly onViewers: () => void;
}

export interface LivePage {
  /** `http://127.0.0.1:9480/` */
  readonly url: string;
  /** Waits for viewers that are about to read the report, and cuts off those that take longer than two seconds. */
  close(): Promise<void>;
}

/** Where the finished report is. */
export const REPORT_PATH = "/report";
const HOST = "127.0.0.1";
const MOST_VIEWERS = 200;
const CLOSE_PATIENCE_MS = 2_000;

const PAGE_POLICY = pagePolicy({ forms: false });

/**
 * Serves the page of a run on the loopback interface, with its events. Import this file only when needed: it loads the page.
 * @throws UsageError if it cannot listen on the port
 */
export async function startLivePage(options: LivePageOptions): Promise<LivePage> {
  const { port, hub } = options;
  const { fastify } = await import("fastify");
  // A browser keeps connections that it does not use.
  const app = fastify({ forceCloseConnections: "idle" });
  const actualPort = (): number => portOf(app.server.address());
  app.addHook("onRequest", refuseTwoHosts);
  app.addHook("onRequest", refuseForeignPages(HOST, actualPort));
  app.addHook("onRequest", refuseOtherSitesExceptLinks);
  app.addHook("onSend", async (_request, reply) => {
    reply.headers({
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cache-control": "no-store",
    });
  });
  refuseUnknownRoutes(app, "/ is the page, and /report the finished report.");
  await addPage(app, options);
  addEvents(app, options);
  try {
    await app.listen({ port, host: HOST });
  } catch (error) {
    await app.close();
    throw portError(port, error);
  }
  return {
    url: `http://${HOST}:${actualPort()}/`,
    async close() {
      await untilNoViewers(hub, CLOSE_PATIENCE_MS);
      hub.dropAll();
      const timer = setTimeout(() => app.server.closeAllConnections(), CLOSE_PATIENCE_MS);
      await app.close();
      clearTimeout(timer);
    },
  };
}

async function addPage(app: FastifyInstance, { report }: LivePageOptions): Promise<void> {
  const shell = liveShell({ assets: "", events: "events" });
  app.get("/", async (_request, reply) =>
    report() === undefined
      ? reply.type("text/html; charset=utf-8").header("content-security-policy", PAGE_POLICY).send(shell)
      : reply.redirect(REPORT_PATH),
  );
  await addLiveAssets(app, "/", STYLE);
  app.get(REPORT_PATH, async (_request, reply) => {
    const html = report();
    if (html === undefined) throw new HttpError(404, "The run has no report yet.", { hint: "Open / to follow it." });
    return reply.type("text/html; charset=utf-8").header("content-security-policy", REPORT_POLICY).send(html);
  });
}

function addEvents(app: FastifyInstance, { hub, refresh, onViewers }: LivePageOptions): void {
  // Fastify's own HEAD route would be a viewer that gets nothing and never ends.
  app.get("/events", { exposeHeadRoute: false, onRequest: refuseOtherSites }, (request, reply) => {
    if (hub.viewers >= MOST_VIEWERS) throw new HttpError(503, `Too many viewers: ${MOST_VIEWERS} are the most.`);
    const lastId = request.headers["last-event-id"];
    if (hub.viewers === 0) refresh();
    followHub(hub, reply, { lastId: typeof lastId === "string" ? lastId : undefined, onGone: onViewers });
    onViewers();
  });
}

async function untilNoViewers(hub: LiveHub, patienceMs: number): Promise<void> {
  const untilMs = performance.now() + patienceMs;
  while (hub.viewers > 0 && performance.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 20));
}

function portError(port: number, error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const found = typeof code === "string" ? PORT_ERRORS[code] : undefined;
  if (found === undefined) return error;
  const problem = `--live: port ${port} ${found.reason}.`;
  return new UsageError("unavailable-address", problem, { hint: found.hint, cause: error });
}

const PORT_ERRORS: Readonly<Record<string, { readonly reason: string; readonly hint: string }>> = {
  EADDRINUSE: {
    reason: `is in use on ${HOST}`,
    hint: "Choose another, --live 0 for any free one, or stop what listens there.",
  },
  EACCES: { reason: "needs rights that this user does not have", hint: "Choose one above 1023." },
};
