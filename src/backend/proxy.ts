import { isIP, BlockList } from "node:net";
import { UsageError } from "../errors.js";
import { isLoopback } from "./loopback.js";

/** For an endpoint over TLS, the first that is set; small letters first, as others read them. */
const VARIABLES = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] as const;
const EXCEPTIONS = ["no_proxy", "NO_PROXY"] as const;
const PROXY_PORT = 80;

/** An HTTP proxy that is asked to CONNECT. What it knows a caller by is not told by any text or JSON of it. */
export class Proxy {
  readonly #credentials: string | undefined;

  constructor(
    /** Without brackets where it is an IPv6 address. */
    readonly host: string,
    readonly port: number,
    /** The variable that names it. */
    readonly source: string,
    credentials?: string,
  ) {
    this.#credentials = credentials;
  }

  /** For a person: `proxy.example:3128`. */
  get place(): string {
    return placeOf(this.host, this.port);
  }

  /** `user:password`, where there are some. A secret. */
  get credentials(): string | undefined {
    return this.#credentials;
  }
}

/**
 * The proxy on the way to an endpoint; undefined where there is none, which is so for this machine and for http always.
 * @throws UsageError that tells nothing of what the variable holds but its scheme
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
      `${source}: expected a proxy such as http://HOST:PORT, found what is no address.`,
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

/** `*`, a host with its subdomains (with or without a dot in front), an address, a range of addresses; each with a port or without. */
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
