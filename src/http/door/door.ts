import type { FastifyReply, FastifyRequest } from "fastify";
import { hasKey, keyCheck, refuseOtherSites, refuseOtherSitesExceptLinks } from "../access.js";
import { HttpError } from "../http-error.js";
import { isPageView } from "../page-response.js";
import { sessionTokens } from "./session-cookie.js";
import { Sessions, type Session } from "./sessions.js";

type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
type Refusal = (request: FastifyRequest) => Promise<void>;

/** Who may use the run API and the pages. */
export interface Door {
  /** Absent without a key: then everybody may who reaches the server, except a page of another site. */
  readonly lock?: { readonly isKey: (given: string) => boolean; readonly sessions: Sessions };
  /** For routes that programs and scripts of our pages call: 401 without a key or a session. */
  readonly api: Hook;
  /** The same, for routes that cost the backend, or hold what others need: no link of another site leads there. */
  readonly costly: Hook;
  /** For pages: a browser without a session is led to the login. */
  readonly pages: Hook;
  /** By which a request came in. Undefined for one with the key, which does not end. */
  readonly sessionOf: (request: FastifyRequest) => Session | undefined;
}

export const LOGIN_PATH = "/login";

/** With a key, the door opens to the key in a header, or to the cookie of a session. */
export function doorOf(key: string | undefined): Door {
  return key === undefined
    ? {
        api: refuseOtherSitesExceptLinks,
        costly: refuseOtherSites,
        pages: refuseOtherSitesExceptLinks,
        sessionOf: () => undefined,
      }
    : lockedDoor(keyCheck(key));
}

function lockedDoor(isKey: (given: string) => boolean): Door {
  const sessions = new Sessions();
  const sessionOf = (request: FastifyRequest): Session | undefined =>
    sessionTokens(request)
      .map((token) => sessions.find(token))
      .find((session) => session !== undefined);
  const mayEnter = async (request: FastifyRequest, refuse: Refusal): Promise<boolean> => {
    if (hasKey(request, isKey)) return true;
    if (sessionOf(request) === undefined) return false;
    // A browser sends the cookie for whoever makes it send a request.
    await refuse(request);
    refuseForeignWrites(request);
    return true;
  };
  return {
    lock: { isKey, sessions },
    api: async (request) => {
      if (!(await mayEnter(request, refuseOtherSitesExceptLinks))) throw keyWanted();
    },
    costly: async (request) => {
      if (!(await mayEnter(request, refuseOtherSites))) throw keyWanted();
    },
    pages: async (request, reply) => {
      if (await mayEnter(request, refuseOtherSitesExceptLinks)) return undefined;
      if (!isPageView(request)) throw keyWanted();
      return reply.redirect(`${LOGIN_PATH}?next=${encodeURIComponent(request.url)}`, 303);
    },
    sessionOf: (request) => (hasKey(request, isKey) ? undefined : sessionOf(request)),
  };
}

/**
 * Refuses to change anything for a page of another origin. Browsers say where a request comes from, in `Sec-Fetch-Site` where
 * the connection is secure, and in `Origin`.
 */
export function refuseForeignWrites({ method, headers }: FastifyRequest): void {
  if (method === "GET" || method === "HEAD") return;
  const { "sec-fetch-site": site, origin, host } = headers;
  const isOurs =
    site === undefined ? origin === `http://${host}` || origin === `https://${host}` : site === "same-origin";
  if (!isOurs) {
    throw new HttpError(403, "Only a page of this server may do this in the name of who has logged in.", {
      field: site === undefined ? "Origin" : "Sec-Fetch-Site",
    });
  }
}

function keyWanted(): HttpError {
  return new HttpError(401, "Expected the server's API key in the header x-api-key or Authorization: Bearer.", {
    hint: `A browser logs in at ${LOGIN_PATH}.`,
  });
}
