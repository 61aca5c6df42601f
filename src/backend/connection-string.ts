import { readFileSync } from "node:fs";
import { z } from "zod";
import { UsageError } from "../errors.js";

/** A parsed connection string. `source` says where it came from, for the line that tells a person. */
export type Connection =
  | { readonly kind: "emulator"; readonly taskHub: string; readonly source: string }
  | {
      readonly kind: "endpoint";
      readonly url: URL;
      readonly taskHub: string;
      readonly authentication: "None";
      readonly source: string;
    };

const VARIABLE = "DURABLE_TASK_CONNECTION_STRING";
const SETTINGS_FILE = "appsettings.json";
const DEFAULT_TASK_HUB = "default";

/** What the SDK's other languages accept as well, and this version does not have yet. */
const LATER_KINDS = [
  "DefaultAzure",
  "ManagedIdentity",
  "WorkloadIdentity",
  "Environment",
  "AzureCli",
  "AzurePowerShell",
  "VisualStudioCode",
  "InteractiveBrowser",
];
const LATER_KEYS = ["ClientID", "TenantId", "TokenFilePath", "AdditionallyAllowedTenants"];

export interface ConnectionSources {
  /** What `--connection-string` says. */
  readonly flag?: string | undefined;
  /** What `--task-hub` says: it wins over the string. */
  readonly taskHub?: string | undefined;
  readonly env?: NodeJS.ProcessEnv;
  readonly folder?: string;
}

/**
 * Finds the connection string and parses it: the flag, then the environment, then `appsettings.json` in the working
 * folder, then the embedded emulator. Throws a UsageError that names the wrong part and never quotes a value of it
 * that might be a secret.
 */
export function resolveConnection({ flag, taskHub, env = process.env, folder = "." }: ConnectionSources): Connection {
  const variable = env[VARIABLE];
  if (flag !== undefined) {
    return parse(flag, "--connection-string", taskHub);
  }
  if (variable !== undefined && variable !== "") {
    return parse(variable, VARIABLE, taskHub);
  }
  const setting = readSettings(`${folder}/${SETTINGS_FILE}`);
  if (setting !== undefined) {
    return parse(setting, SETTINGS_FILE, taskHub);
  }
  return parse("UseDevelopmentStorage=true", "the default", taskHub);
}

function parse(text: string, source: string, taskHubFlag: string | undefined): Connection {
  const parts = new Map<string, string>();
  for (const part of text.split(";").filter((part) => part.trim() !== "")) {
    const [key = "", ...rest] = part.split("=");
    if (rest.length === 0) {
      throw wrong(source, `a part has no "=": every part has to be Key=Value, with ";" between them`);
    }
    const name = key.trim().toLowerCase();
    if (parts.has(name)) {
      throw wrong(source, `${key.trim()} stands there twice`);
    }
    parts.set(name, rest.join("=").trim());
  }
  const take = (key: string): string | undefined => {
    const value = parts.get(key.toLowerCase());
    parts.delete(key.toLowerCase());
    return value;
  };
  const development = take("UseDevelopmentStorage");
  const endpoint = take("Endpoint");
  const authentication = take("Authentication");
  const taskHub = taskHubFlag ?? take("TaskHub") ?? DEFAULT_TASK_HUB;
  take("TaskHub");
  refuseOthers(parts, source);
  if (taskHub === "") {
    throw wrong(source, "TaskHub is empty");
  }
  if (development !== undefined) {
    if (development.toLowerCase() !== "true") {
      throw wrong(source, `expected UseDevelopmentStorage=true, found another value`);
    }
    if (endpoint !== undefined || authentication !== undefined) {
      throw wrong(
        source,
        "UseDevelopmentStorage=true means the embedded emulator: it takes no Endpoint and no Authentication",
      );
    }
    return { kind: "emulator", taskHub, source };
  }
  if (endpoint === undefined || endpoint === "") {
    throw wrong(source, "expected Endpoint=http://HOST[:PORT] or UseDevelopmentStorage=true, found neither");
  }
  refuseAuthentication(authentication, source);
  return { kind: "endpoint", url: endpointUrl(endpoint, source), taskHub, authentication: "None", source };
}

function refuseOthers(parts: ReadonlyMap<string, string>, source: string): void {
  for (const [key, value] of parts) {
    if (/^=*$/u.test(value)) {
      // A key or a token in base64 ends like this: it is not repeated.
      throw wrong(source, 'a part has nothing behind its first "=": every part has to be Key=Value');
    }
    const later = LATER_KEYS.find((known) => known.toLowerCase() === key);
    throw wrong(
      source,
      later === undefined
        ? `the key "${key}" is not known; known are Endpoint, Authentication, TaskHub and UseDevelopmentStorage`
        : `${later} is not supported by this version of fanout yet`,
    );
  }
}

function refuseAuthentication(kind: string | undefined, source: string): void {
  if (kind === undefined) {
    throw wrong(source, "Authentication is missing; expected Authentication=None");
  }
  const later = LATER_KINDS.find((known) => known.toLowerCase() === kind.toLowerCase());
  if (later !== undefined) {
    throw wrong(source, `Authentication=${later} is not supported by this version of fanout yet; expected None`);
  }
  if (kind.toLowerCase() !== "none") {
    throw wrong(source, `that kind of Authentication is not known; expected Authentication=None`);
  }
}

function endpointUrl(endpoint: string, source: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(endpoint) ? endpoint : `https://${endpoint}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:") || url.hostname === "") {
    throw wrong(source, "Endpoint is not an address; expected for example Endpoint=http://localhost:8080");
  }
  if (url.username !== "" || url.password !== "") {
    throw wrong(source, "Endpoint must not hold a user name or a password");
  }
  return url;
}

function wrong(source: string, what: string): UsageError {
  return new UsageError(`The connection string of ${source}: ${what}.`);
}

const Settings = z.object({
  DurableTaskScheduler: z.object({ ConnectionString: z.string().min(1).optional() }).optional(),
});

function readSettings(file: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return undefined;
    }
    throw new UsageError(`${SETTINGS_FILE} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
  let json: unknown;
  try {
    // .NET writes the file with a byte order mark at times.
    json = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw new UsageError(`${SETTINGS_FILE} is not JSON.`, { cause: error });
  }
  const settings = Settings.safeParse(json);
  if (!settings.success) {
    throw new UsageError(
      `${SETTINGS_FILE}: expected {"DurableTaskScheduler": {"ConnectionString": "..."}}, found another shape.`,
    );
  }
  return settings.data.DurableTaskScheduler?.ConnectionString;
}
