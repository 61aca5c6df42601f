import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { LOGIN_SCRIPT_PATH, loginPage } from "../../report/site/login-page.js";
import { refuseOtherSites } from "../access.js";
import { addScript, sendPage } from "../page-response.js";
import { LOGIN_PATH, refuseForeignWrites, type Door } from "./door.js";
import { LoginBrake } from "./login-brake.js";
import { noSessionCookie, sessionCookie, sessionTokens } from "./session-cookie.js";

const MOST_FORM_BYTES = 16_384;

/** `/login`, where the key is traded for a session, and `/logout`. Without a key they lead to the first page. */
export async function addLogin(app: FastifyInstance, door: Door): Promise<void> {
  app.addContentTypeParser(
    "application/x-www-form-urlencoded",
    { parseAs: "string", bodyLimit: MOST_FORM_BYTES },
    async (_request: FastifyRequest, body: string) => new URLSearchParams(body),
  );
  const schema = { hide: true };
  app.get("/api/v1/session", { schema, onRequest: door.api }, async (_request, reply) => reply.code(204).send());
  const { lock } = door;
  if (lock === undefined) {
    app.get(LOGIN_PATH, { schema }, async (_request, reply) => reply.redirect("/", 303));
    return;
  }
  await addScript(app, LOGIN_SCRIPT_PATH, "login.js");
  const brake = new LoginBrake();

  app.get<{ Querystring: { next?: unknown } }>(LOGIN_PATH, { schema }, async ({ query }, reply) =>
    sendPage(reply, loginPage({ next: ownPath(query.next) })),
  );

  app.post(LOGIN_PATH, { schema, onRequest: refuseForeignForm }, async (request, reply) => {
    const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
    const next = ownPath(form.get("next"));
    const attempt = brake.attempt(request.ip);
    if ("waitSeconds" in attempt) {
      const { waitSeconds } = attempt;
      const trouble = `Too many wrong keys. Try again in ${waitSeconds} s.`;
      return sendPage(reply.code(429).header("retry-after", waitSeconds), loginPage({ next, trouble }));
    }
    if (!lock.isKey(form.get("key") ?? ""))
      return sendPage(reply.code(401), loginPage({ next, trouble: "That is not the key of this server." }));
    attempt.succeeded();
    closeSessions(request, lock.sessions);
    return reply.header("set-cookie", sessionCookie(request, lock.sessions.open())).redirect(next, 303);
  });

  app.post("/logout", { schema, onRequest: refuseForeignForm }, async (request, reply) => {
    closeSessions(request, lock.sessions);
    return leave(request, reply);
  });
}

function leave(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply.header("set-cookie", noSessionCookie(request)).redirect(LOGIN_PATH, 303);
}

function closeSessions(request: FastifyRequest, sessions: NonNullable<Door["lock"]>["sessions"]): void {
  for (const token of sessionTokens(request)) sessions.close(token);
}

/** Programs send neither header, and log in for themselves only. */
async function refuseForeignForm(request: FastifyRequest): Promise<void> {
  const { origin, "sec-fetch-site": site } = request.headers;
  if (origin === undefined && site === undefined) return;
  await refuseOtherSites(request);
  refuseForeignWrites(request);
}

/** The path of a page of this server; another address leads to the first one. */
function ownPath(next: unknown): string {
  if (typeof next !== "string" || next.length > 2_048) return "/";
  const base = "http://own.invalid";
  const url = URL.parse(next, base);
  if (url === null || url.origin !== base || url.pathname.startsWith("//")) return "/";
  return url.pathname + url.search;
}
