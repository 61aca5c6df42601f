import type { FastifyRequest } from "fastify";
import { SESSION_SECONDS } from "./sessions.js";

/** The tokens of sessions that a request carries. There are several where another page has set a cookie of the same name. */
export function sessionTokens(request: FastifyRequest): readonly string[] {
  const name = nameOf(request);
  return (request.headers.cookie ?? "").split(";").flatMap((pair) => {
    const [key, value] = pair.trim().split("=", 2);
    return key === name && value !== undefined ? [value] : [];
  });
}

/** The value of `Set-Cookie` for a new session. */
export function sessionCookie(request: FastifyRequest, token: string): string {
  return cookieOf(request, token, SESSION_SECONDS);
}

/** The value of `Set-Cookie` that takes the session from the browser. */
export function noSessionCookie(request: FastifyRequest): string {
  return cookieOf(request, "", 0);
}

function cookieOf(request: FastifyRequest, value: string, seconds: number): string {
  const secure = isOverHttps(request) ? "; Secure" : "";
  return `${nameOf(request)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
}

/** Cookies do not tell ports apart, and a machine may have several servers. */
function nameOf({ raw }: FastifyRequest): string {
  return `fanout_session_${raw.socket.localPort ?? 0}`;
}

/** The server speaks http only, so that a proxy in front of it terminates TLS. */
function isOverHttps({ headers }: FastifyRequest): boolean {
  // Of several proxies, the first one speaks to the browser.
  const forwarded = String(headers["x-forwarded-proto"] ?? "");
  return /^https\s*(?:,|$)/iu.test(forwarded) || (headers.origin ?? "").startsWith("https://");
}
