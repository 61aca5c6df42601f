import { isIP, BlockList } from "node:net";
import { UsageError } from "../errors.js";
import { isLoopback } from "./loopback.js";

/**
 * The proxy of an endpoint over TLS. The first one that is set counts; small letters come first, as in other programs.
 */
const VARIABLES = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] as const;
const EXCEPTIONS = ["no_proxy", "NO_PROXY"] as const;
const PROXY_PORT = 80;

/** An HTTP proxy for CONNECT. Neither its text nor its JSON shows its credentials. */
export class Proxy {
  readonly #credentials: string | undefined;

  constructor(
    /** An IPv6 address has no brackets. */
    readonly host: string,
    readonly port: number,
    /** The variable that names the proxy. */
    readonly source: string,
    credentials?: string,
  ) {
    this.#credentials = credentials;
  }

  /** For a person, such as `proxy.example:3128`. */
  get place(): string {
    return placeOf(this.host, this.port);
  }

  /** `user:password`. A secret. */
  get credentials(): string | undefined {
    return this.#credentials;
  }
}

/**
 * The proxy for an endpoint; undefined if there is none. Endpoints on this machine, and over http, never have one.
 * @throws UsageError that repeats only the scheme of the variable's value
 */
export function proxyFor(url: URL, env: NodeJS.ProcessEnv): Proxy | undefined {
  const host = bare(url.hostname);
  if (url.protocol !== "https:" || isLoopback(host)) return undefined;
  const source = VARIABLES.find((name) => env[name]);
  const exceptions = EXCEPTIONS.map((name) => env[name]).find((value) => value) ?? "";
  if (source === undefined || isException(host, url.port || "443", exceptions)) return undefined;
  return parseProxy(env[source] ?? "", source);
}

function parseProxy(text: string, source: string): Proxy {
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//iu.test(text) ? text : `http://${text}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : undefined;
  if (url === undefined || url.hostname === "") {
    throw new UsageError(
      "invalid-proxy",
      `${source}: expected a proxy such as http://HOST:PORT, found something else.`,
    );
  }

  if (url.protocol !== "http:") {
    throw new UsageError(
      "invalid-proxy",
      `${source}: expected a proxy such as http://HOST:PORT, found one of ${url.protocol.slice(0, -1)}, which gRPC ` +
        "cannot use.",
      { hint: "Name the host of the endpoint in NO_PROXY to go past it." },
    );
  }
  const user = decoded(url.username);
  const credentials = url.password === "" ? user : `${user}:${decoded(url.password)}`;
  const port = Number(url.port || PROXY_PORT);
  return new Proxy(bare(url.hostname), port, source, credentials === "" ? undefined : credentials);
}

/**
 * An entry is `*`, a host with its subdomains (a dot in front is optional), an address or a range, each with or without
 * a port.
 */
function isException(host: string, port: string, exceptions: string): boolean {
  return exceptions
    .split(/[\s,]+/u)
    .filter((entry) => entry !== "")
    .some((entry) => matches(entry.toLowerCase(), host.toLowerCase(), port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  if (entry.includes("/")) return isInRange(entry, host);
  const [, name = entry, only] = /^(\[.*\]|[^:]*)(?::(\d+))?$/u.exec(entry) ?? [];
  if (only !== undefined && only !== port) return false;
  const wanted = bare(name).replace(/^\*?\./u, "");
  return host === wanted || (isIP(host) === 0 && host.endsWith(`.${wanted}`));
}

function isInRange(range: string, host: string): boolean {
  const [net = "", bits = ""] = range.split("/");
  const family = isIP(net);
  const prefix = Number(bits);
  if (family === 0 || isIP(host) !== family || !(prefix >= 0 && prefix <= (family === 4 ? 32 : 128))) return false;
  const kind = family === 4 ? "ipv4" : "ipv6";
  const addresses = new BlockList();
  addresses.addSubnet(net, prefix, kind);
  return addresses.check(host, kind);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/u, "$1");
}

export function placeOf(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
