import { UsageError, type ErrorCode } from "../errors.js";
import { SETTINGS_FILE, connectionStringOfSettings } from "./app-settings.js";
import {
  AUTHENTICATION_KINDS,
  CREDENTIAL_KEYS,
  CREDENTIAL_KINDS,
  type Authentication,
  type CredentialAuthentication,
  type CredentialKey,
} from "./authentication.js";
import { proxyFor, type Proxy } from "./proxy.js";

export interface EmulatorConnection {
  readonly kind: "emulator";
  readonly taskHub: string;
  readonly source: string;
}

export interface EndpointConnection {
  readonly kind: "endpoint";
  /** Host and port only. With a credential it is https. */
  readonly url: URL;
  readonly taskHub: string;
  readonly authentication: Authentication;
  readonly source: string;
  /** The proxy that the environment names for this endpoint. */
  readonly proxy?: Proxy;
}

/** A parsed connection string. `source` is its origin, for a person. */
export type Connection = EmulatorConnection | EndpointConnection;

/** First our own variable, then those of Microsoft's samples. The first one that is set counts. */
const VARIABLES = [
  "DURABLE_TASK_CONNECTION_STRING",
  "DURABLE_TASK_SCHEDULER_CONNECTION_STRING",
  "DTS_CONNECTION_STRING",
] as const;
const DEFAULT_TASK_HUB = "default";
/** The only domain to which a credential from a settings file is sent. */
const SCHEDULER_DOMAIN = ".durabletask.io";

export interface ConnectionSources {
  /** The value of `--connection-string`. */
  readonly flag?: string | undefined;
  /** The value of `--task-hub`. It overrides the task hub of the string. */
  readonly taskHub?: string | undefined;
  readonly env?: NodeJS.ProcessEnv;
  readonly folder?: string;
}

/** A connection string that may hold secrets and mistakes, and its origin. */
export interface FoundConnectionString {
  readonly text: string;
  readonly source: string;
}

/**
 * Finds and parses the connection string.
 * @throws UsageError that names the wrong part and repeats no value that may be a secret
 */
export function resolveConnection(sources: ConnectionSources): Connection {
  return withProxy(parseConnection(findConnectionString(sources), sources.taskHub), sources.env);
}

/**
 * Adds the proxy that the environment names for the endpoint.
 * @throws UsageError
 */
export function withProxy(connection: Connection, env: NodeJS.ProcessEnv = process.env): Connection {
  if (connection.kind === "emulator") return connection;
  const proxy = proxyFor(connection.url, env);
  return proxy === undefined ? connection : { ...connection, proxy };
}

/** The flag, then the variables, then `appsettings.json` in the working folder, then the embedded emulator. */
export function findConnectionString({
  flag,
  env = process.env,
  folder = ".",
}: ConnectionSources): FoundConnectionString {
  if (flag !== undefined) return { text: flag, source: "--connection-string" };

  for (const source of VARIABLES) {
    const text = env[source];
    if (text !== undefined && text !== "") return { text, source };
  }
  const setting = connectionStringOfSettings(folder);
  return setting === undefined
    ? { text: "UseDevelopmentStorage=true", source: "the default" }
    : { text: setting, source: SETTINGS_FILE };
}

/** See `resolveConnection`. `taskHubFlag` overrides the task hub of the string. */
export function parseConnection({ text, source }: FoundConnectionString, taskHubFlag?: string): Connection {
  const parts = partsOf(text, source);
  const take = (key: string): string | undefined => {
    const value = parts.get(key.toLowerCase());
    parts.delete(key.toLowerCase());
    return value;
  };
  const development = take("UseDevelopmentStorage");
  const endpoint = take("Endpoint");
  const kind = take("Authentication");
  const named = take("TaskHub");
  const credentialKeys = new Map<CredentialKey, string>();
  for (const [key, name] of Object.entries(CREDENTIAL_KEYS) as [CredentialKey, string][]) {
    const value = take(name);
    if (value !== undefined) credentialKeys.set(key, value);
  }
  refuseOthers(parts, source);
  const taskHub = checkTaskHub(taskHubFlag?.trim() ?? named ?? DEFAULT_TASK_HUB, source);
  if (development !== undefined) {
    if (development.toLowerCase() !== "true")
      throw wrong(source, `expected UseDevelopmentStorage=true, found another value`);

    if (endpoint !== undefined || kind !== undefined || credentialKeys.size > 0) {
      throw wrong(
        source,
        "UseDevelopmentStorage=true means the embedded emulator: it takes no Endpoint, no Authentication and nothing " +
          "that belongs to a credential",
      );
    }
    return { kind: "emulator", taskHub, source };
  }
  if (endpoint === undefined || endpoint === "")
    throw wrong(source, "expected Endpoint=http://HOST[:PORT] or UseDevelopmentStorage=true, found neither");

  const url = endpointUrl(endpoint, source);
  const authentication = authenticationOf(kind, credentialKeys, source);
  refuseCredentialTo(url, authentication, source);
  return { kind: "endpoint", url, taskHub, authentication, source };
}

/** A connection string that parses to the same connection, except for `source`. */
export function formatConnection(connection: Connection): string {
  const taskHub = `TaskHub=${connection.taskHub}`;
  if (connection.kind === "emulator") return `UseDevelopmentStorage=true;${taskHub}`;

  const { url, authentication } = connection;
  const parts = [`Endpoint=${url.origin}`, `Authentication=${authentication.kind}`, taskHub];
  if (authentication.kind !== "None") {
    for (const key of CREDENTIAL_KINDS[authentication.kind]) {
      const value = authentication[key];
      if (value !== undefined)
        parts.push(`${CREDENTIAL_KEYS[key]}=${typeof value === "string" ? value : value.join(",")}`);
    }
  }
  return parts.join(";");
}

/** Quotes around a value. A shell removes them; an env file of Docker keeps them. */
const QUOTED = /^["'“‘].*["'”’]$/su;

function refuseQuotes(text: string, what: string, source: string): void {
  if (!QUOTED.test(text.trim())) return;
  throw wrong(
    source,
    `${what} is in quotes, which become part of it here`,
    "leave them out. A shell takes quotes away; an env file of Docker and a setting of an application keep them",
  );
}

function partsOf(text: string, source: string): Map<string, string> {
  refuseQuotes(text, "it", source);
  const parts = new Map<string, string>();
  for (const part of text.split(";").filter((part) => part.trim() !== "")) {
    refuseQuotes(part, "a part", source);
    const [key = "", ...rest] = part.split("=");
    if (rest.length === 0)
      throw wrong(source, 'a part has no "="', 'every part has to be Key=Value, with ";" between them');

    const name = key.trim().toLowerCase();
    if (parts.has(name)) throw wrong(source, `${tellable(key.trim()) ?? "a key"} is there twice`);

    const value = rest.join("=").trim();
    refuseQuotes(value, `the value of ${tellable(key.trim()) ?? "a key"}`, source);
    parts.set(name, value);
  }
  return parts;
}

/** A key or a kind that an error may repeat. Anything that is not a word may be a misplaced secret. */
function tellable(key: string): string | undefined {
  return /^[a-z][a-z _-]{0,39}$/iu.test(key) ? key : undefined;
}

function refuseOthers(parts: ReadonlyMap<string, string>, source: string): void {
  for (const [key, value] of parts) {
    if (/^=*$/u.test(value)) {
      // A key or a token in base64 may end like this, so it is not repeated.
      throw wrong(source, 'a part has nothing behind its first "="', "every part has to be Key=Value");
    }
    const known = ["Endpoint", "Authentication", "TaskHub", "UseDevelopmentStorage", ...Object.values(CREDENTIAL_KEYS)];
    const name = tellable(key);
    throw wrong(
      source,
      `${name === undefined ? "a key" : `the key "${name}"`} is not known`,
      `known are ${known.join(", ")}`,
    );
  }
}

/** The name goes into a header of every call and into the connection string of worker processes. */
function checkTaskHub(taskHub: string, source: string): string {
  if (taskHub === "") throw wrong(source, "TaskHub is empty");

  if (!/^[ -~]+$/u.test(taskHub) || taskHub.includes(";"))
    throw wrong(source, 'TaskHub may hold printable ASCII characters only, and no ";"');

  return taskHub;
}

function authenticationOf(
  text: string | undefined,
  keys: ReadonlyMap<CredentialKey, string>,
  source: string,
): Authentication {
  const expected = `expected Authentication=KIND with KIND one of ${AUTHENTICATION_KINDS.join(", ")}`;
  if (text === undefined) throw wrong(source, "Authentication is missing", expected);

  const kind = AUTHENTICATION_KINDS.find((known) => known.toLowerCase() === text.toLowerCase());
  if (kind === undefined) {
    const named = tellable(text);
    throw wrong(
      source,
      `${named === undefined ? "that kind of" : `the kind ${named} of`} Authentication is not known`,
      expected,
    );
  }
  const used: readonly CredentialKey[] = kind === "None" ? [] : CREDENTIAL_KINDS[kind];
  for (const [key, value] of keys) {
    if (!used.includes(key)) {
      const takes = used.length === 0 ? "no such key" : used.map((other) => CREDENTIAL_KEYS[other]).join(", ");
      throw wrong(source, `Authentication=${kind} does not use ${CREDENTIAL_KEYS[key]}`, `it takes ${takes}`);
    }
    if (value === "") throw wrong(source, `${CREDENTIAL_KEYS[key]} is empty`);
  }
  return kind === "None" ? { kind } : { kind, ...credentialParts(keys, source) };
}

function credentialParts(
  keys: ReadonlyMap<CredentialKey, string>,
  source: string,
): Omit<CredentialAuthentication, "kind"> {
  const { additionallyAllowedTenants, ...texts }: Partial<Record<CredentialKey, string>> = Object.fromEntries(keys);
  if (additionallyAllowedTenants === undefined) return texts;

  const tenants = additionallyAllowedTenants.split(",").map((tenant) => tenant.trim());
  if (tenants.includes("")) {
    throw wrong(
      source,
      `${CREDENTIAL_KEYS.additionallyAllowedTenants} has an empty tenant`,
      "expected for example a,b",
    );
  }

  return { ...texts, additionallyAllowedTenants: tenants };
}

function refuseCredentialTo(url: URL, { kind }: Authentication, source: string): void {
  if (kind === "None") return;

  if (url.protocol !== "https:") {
    throw exposed(
      source,
      `Authentication=${kind} needs Endpoint=https://...: a credential is never sent over http`,
      "name a backend that takes no credential with Authentication=None",
    );
  }
  // Any folder may hold a settings file of somebody else.
  if (source === SETTINGS_FILE && !url.hostname.endsWith(SCHEDULER_DOMAIN)) {
    throw exposed(
      source,
      `from a file, a credential is sent to hosts of *${SCHEDULER_DOMAIN} only, and Endpoint names another`,
      `if you mean that host, name it with --connection-string or ${VARIABLES[0]}`,
    );
  }
}

function endpointUrl(endpoint: string, source: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(endpoint) ? endpoint : `https://${endpoint}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:") || url.hostname === "")
    throw wrong(source, "Endpoint is not an address", "expected for example Endpoint=http://localhost:8080");

  if (url.username !== "" || url.password !== "")
    throw wrong(source, "Endpoint must not hold a user name or a password");

  if (url.pathname !== "/" || url.search !== "" || url.hash !== "")
    throw wrong(source, "Endpoint must be a host and a port, with no path or query behind it");

  return url;
}

function wrong(source: string, what: string, hint?: string): UsageError {
  return faulty("invalid-connection-string", source, what, hint);
}

function exposed(source: string, what: string, hint: string): UsageError {
  return faulty("exposed-credential", source, what, hint);
}

function faulty(code: ErrorCode, source: string, what: string, hint?: string): UsageError {
  const problem = `The connection string of ${source}: ${what}`;
  return hint === undefined ? new UsageError(code, `${problem}.`) : new UsageError(code, problem, { hint: `${hint}.` });
}
