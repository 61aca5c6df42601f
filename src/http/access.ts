import { createHash, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import { hostname } from "node:os";
import type { FastifyRequest } from "fastify";
import { HttpError } from "./http-error.js";

const LOOPBACK_NAMES = ["localhost", "127.0.0.1", "::1"];
const ALL_INTERFACES = new Set(["0.0.0.0", "::"]);
const HOST = /^(?:\[(?<ipv6>[0-9a-f:.]+)\]|(?<name>[^:[\]]+))(?::(?<port>\d+))?$/iu;

/** Refuses a request with several Host headers: a proxy in front may have read another one of them. */
export async function refuseTwoHosts({ raw: { rawHeaders } }: FastifyRequest): Promise<void> {
  if (hasTwoHosts(rawHeaders)) throw new HttpError(400, "Expected one Host header, found several.", { field: "Host" });
}

/** `rawHeaders` as Node gives them: names and values in turn. */
export function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  return rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === "host").length > 1;
}

/**
 * Refuses what a page of another origin can make a browser send. A foreign Host comes from a page whose name was
 * pointed at this address (DNS rebinding). A request with a foreign Origin must not change anything.
 * `port` is the port that the server listens on. `allowedHosts` are further names of this server, on any port, because
 * a proxy in front has a port of its own.
 */
export function refuseForeignPages(
  host: string,
  port: () => number,
  allowedHosts: readonly string[] = [],
): (request: FastifyRequest) => Promise<void> {
  const names = new Set([...LOOPBACK_NAMES, host.toLowerCase()]);
  const allowed = new Set(allowedHosts);
  // Other machines may use any address or mapped port. Nobody can point an address elsewhere.
  const everywhere = ALL_INTERFACES.has(host);
  if (everywhere) names.add(hostname().toLowerCase());
  const isOurs = (header: string): boolean => {
    const { ipv6, name, port: portText } = HOST.exec(header)?.groups ?? {};
    const asked = (ipv6 ?? name ?? "").toLowerCase();
    if (allowed.has(asked)) return true;
    if (everywhere) return names.has(asked) || isIP(asked) !== 0;
    return names.has(asked) && (portText === undefined || Number(portText) === port());
  };
  return async ({ headers, method }) => {
    if (!isOurs(headers.host ?? "")) throw foreignHost();

    const isRead = method === "GET" || method === "HEAD";
    // A proxy in front of the server may terminate TLS.
    const origins = [undefined, `http://${headers.host}`, `https://${headers.host}`];
    if (!isRead && !origins.includes(headers.origin))
      throw new HttpError(403, "Pages of another origin may not call this server.", { field: "Origin" });
  };
}

/**
 * Refuses what a browser sends for a page of another site. Older browsers, and other programs, do not send the headers, and a
 * browser sends them over https and to the loopback interface only: https://www.w3.org/TR/fetch-metadata/
 */
export async function refuseOtherSites({ headers }: FastifyRequest): Promise<void> {
  const { "sec-fetch-site": site = "none" } = headers;
  if (site !== "same-origin" && site !== "none")
    throw new HttpError(403, "Pages of another site may not use this server.", { field: "Sec-Fetch-Site" });
}

/** The same, except that somebody follows a link. A page can make a browser fetch ahead, and nobody has followed that link. */
export async function refuseOtherSitesExceptLinks(request: FastifyRequest): Promise<void> {
  const { method, headers } = request;
  const { "sec-fetch-mode": mode, "sec-fetch-dest": dest, "sec-purpose": purpose } = headers;
  if (method === "GET" && mode === "navigate" && dest === "document" && purpose === undefined) return;
  await refuseOtherSites(request);
}

function foreignHost(): HttpError {
  const hint = "Start `fanout serve` with --allowed-host to add a name.";
  return new HttpError(403, "The Host header does not name this server.", { hint, field: "Host" });
}

/** Whether a text is the key. The comparison takes constant time. */
export function keyCheck(key: string): (given: string) => boolean {
  const expected = digestOf(key);
  return (given) => timingSafeEqual(digestOf(given), expected);
}

/** Whether the key is in `x-api-key`, or is a bearer token. */
export function hasKey({ headers }: FastifyRequest, isKey: (given: string) => boolean): boolean {
  const apiKey = headers["x-api-key"];
  const bearer = /^Bearer +(.*)$/iu.exec(headers.authorization ?? "")?.[1];
  const given = typeof apiKey === "string" ? apiKey : bearer;
  return given !== undefined && isKey(given);
}

/** Refuses a request without the key, which may be in `x-api-key` or a bearer token. */
export function requireKey(key: string): (request: FastifyRequest) => Promise<void> {
  const isKey = keyCheck(key);
  return async (request) => {
    if (!hasKey(request, isKey))
      throw new HttpError(401, "Expected the server's API key in the header x-api-key or Authorization: Bearer.");
  };
}

function digestOf(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
