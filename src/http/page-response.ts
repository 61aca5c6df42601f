import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { errorPage } from "../report/site/error-page.js";
import type { HttpError } from "./http-error.js";

const require = createRequire(import.meta.url);

/** A page loads its scripts, its style, its data and its events from its own server alone. */
export function pagePolicy({ forms }: { readonly forms: boolean }): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    `form-action ${forms ? "'self'" : "'none'"}`,
    "frame-ancestors 'none'",
  ].join("; ");
}

const POLICY = pagePolicy({ forms: true });

/** A page in one file has a policy of its own, with the hashes of its script and style. This one is added to it. */
export const REPORT_POLICY = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Sends a page that loads its script and style from this server. */
export function sendPage(reply: FastifyReply, html: string): FastifyReply {
  return send(reply, html, POLICY);
}

/** Sends a page in one file, such as a comparison. */
export function sendReport(reply: FastifyReply, html: string): FastifyReply {
  return send(reply, html, REPORT_POLICY);
}

function send(reply: FastifyReply, html: string, policy: string): FastifyReply {
  return reply
    .type("text/html; charset=utf-8")
    .headers({
      "content-security-policy": policy,
      // Not `no-referrer`: with it, a form would not say which page it is from.
      "referrer-policy": "same-origin",
      "cache-control": "no-store",
    })
    .send(html);
}

const TITLES: Readonly<Record<number, string>> = {
  400: "That cannot be asked",
  403: "Not allowed",
  404: "Not found",
  405: "Not found",
  409: "Not there yet",
  429: "Too much at once",
  501: "This backend cannot tell",
  503: "The backend does not answer",
};

export function sendErrorPage(reply: FastifyReply, { statusCode, problem, hint }: HttpError): FastifyReply {
  return sendPage(reply, errorPage({ title: TITLES[statusCode] ?? "Something went wrong", problem, hint }));
}

/** Whether a browser is to show the answer as a page of its own. */
export function isPageView({ method, url, headers }: FastifyRequest): boolean {
  return method === "GET" && (headers.accept ?? "").includes("text/html") && !url.startsWith("/api/");
}

/** Serves a text that needs no key: style and scripts say nothing of runs. */
export function addAsset(app: FastifyInstance, path: string, type: string, text: string): void {
  app.get(path, { schema: { hide: true } }, async (_request, reply) =>
    reply.type(`${type}; charset=utf-8`).header("cache-control", "no-cache").send(text),
  );
}

/** The script of a page, as built. */
export async function addScript(app: FastifyInstance, path: string, file: string): Promise<void> {
  addAsset(app, path, "text/javascript", await readFile(require.resolve(`#page/${file}`), "utf8"));
}
