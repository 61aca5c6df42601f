import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  AUTHENTICATION_KINDS,
  CREDENTIAL_KEYS,
  CREDENTIAL_KINDS,
  type CredentialAuthentication,
  type CredentialKey,
  type CredentialKind,
} from "../../../src/backend/authentication.js";
import {
  formatConnection,
  parseConnection,
  resolveConnection,
  type Connection,
  type ConnectionSources,
} from "../../../src/backend/connection-string.js";
import { UsageError } from "../../../src/errors.js";
import { ExitCode } from "../../../src/exit-codes.js";
import { workerEnvironment } from "../../../src/own-workers/worker-environment.js";

const SECRET = "hunter2-secret";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fanout-settings-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Nothing but what is given: neither this process's environment nor its folder. */
function resolve(sources: ConnectionSources): ReturnType<typeof resolveConnection> {
  return resolveConnection({ env: {}, folder, ...sources });
}

function writeSettings(content: string | Uint8Array): void {
  writeFileSync(path.join(folder, "appsettings.json"), content);
}

function errorOf(sources: ConnectionSources): UsageError {
  try {
    resolve(sources);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return error as UsageError;
  }
  throw new Error("Expected a UsageError, found a connection.");
}

describe("a connection string", () => {
  test.each<[string, object]>([
    ["UseDevelopmentStorage=true", { kind: "emulator", taskHub: "default" }],
    ["usedevelopmentstorage=TRUE;", { kind: "emulator", taskHub: "default" }],
    ["UseDevelopmentStorage=true;TaskHub=mine", { kind: "emulator", taskHub: "mine" }],
    [
      "Endpoint=http://localhost:8080;Authentication=None;TaskHub=default",
      { kind: "endpoint", origin: "http://localhost:8080", taskHub: "default", authentication: { kind: "None" } },
    ],
    ["Endpoint=http://localhost;Authentication=none", { origin: "http://localhost", taskHub: "default" }],
    ["Endpoint=https://host.example:443;Authentication=NONE", { origin: "https://host.example" }],
    ["Endpoint=host.example;Authentication=None", { origin: "https://host.example" }],
    ["Endpoint=host.example:8443;Authentication=None", { origin: "https://host.example:8443" }],
    ["Endpoint=HTTP://127.0.0.1:80;Authentication=None", { origin: "http://127.0.0.1" }],
    ["Endpoint=http://[::1]:8080;Authentication=None", { origin: "http://[::1]:8080" }],
    [" endpoint = http://localhost ; AUTHENTICATION = None ;; taskHub = My Hub ", { taskHub: "My Hub" }],
    ["TaskHub=a=b;Authentication=None;Endpoint=http://localhost", { taskHub: "a=b" }],
  ])("%j is read", (flag, expected) => {
    const connection = resolve({ flag });
    const origin = connection.kind === "endpoint" ? { origin: connection.url.origin } : {};
    expect({ ...connection, ...origin }).toMatchObject(expected);
  });

  test.each<[string, string]>([
    ["", "expected Endpoint=http://HOST[:PORT] or UseDevelopmentStorage=true, found neither"],
    ["TaskHub=default", "found neither"],
    ["Endpoint=;Authentication=None", "found neither"],
    [SECRET, 'a part has no "="'],
    [`Endpoint=http://localhost;${SECRET}`, 'a part has no "="'],
    [`Endpoint=http://localhost;Endpoint=${SECRET}`, "Endpoint is there twice"],
    [`TaskHub=a;taskhub=${SECRET};UseDevelopmentStorage=true`, "taskhub is there twice"],
    [`UseDevelopmentStorage=true;AccountKey=${SECRET}`, 'the key "accountkey" is not known'],
    [`UseDevelopmentStorage=${SECRET}`, "expected UseDevelopmentStorage=true"],
    ["UseDevelopmentStorage=true;Endpoint=http://localhost", "takes no Endpoint"],
    ["UseDevelopmentStorage=true;Authentication=None", "no Authentication"],
    ["UseDevelopmentStorage=true;TaskHub=", "TaskHub is empty"],
    ["Endpoint=http://localhost", "Authentication is missing"],
    [`Endpoint=http://localhost;Authentication=${SECRET}`, "that kind of Authentication is not known"],
    ["Endpoint=http://localhost;Authentication=Bogus", "the kind Bogus of Authentication is not known; expected"],
    [`"Endpoint=http://localhost;Authentication=None;TaskHub=${SECRET}"`, "it is in quotes"],
    [` 'UseDevelopmentStorage=true;TaskHub=${SECRET}' `, "it is in quotes"],
    [`Endpoint=http://localhost;Authentication=None;TaskHub="${SECRET}"`, "the value of TaskHub is in quotes"],
    [`Endpoint="https://${SECRET}";Authentication=None`, "the value of Endpoint is in quotes"],
    [`Endpoint=https://h;Authentication=None;"TaskHub=${SECRET}"`, "a part is in quotes"],
    ["Endpoint=http://localhost;Authentication=defaultazure", "a credential is never sent over http"],
    ["Endpoint=HTTP://localhost:443;Authentication=AzureCli", "Authentication=AzureCli needs Endpoint=https://"],
    [`Endpoint=https://h;Authentication=None;clientid=${SECRET}`, "Authentication=None does not use ClientID"],
    [`Endpoint=https://h;Authentication=azurecli;TokenFilePath=${SECRET}`, "AzureCli does not use TokenFilePath"],
    [
      `Endpoint=https://h;Authentication=ManagedIdentity;TenantID=${SECRET}`,
      "does not use TenantId; it takes ClientID",
    ],
    ["Endpoint=https://h;Authentication=ManagedIdentity;ClientID=", "ClientID is empty"],
    [`Endpoint=https://h;Authentication=AzureCli;AdditionallyAllowedTenants=${SECRET},`, "has an empty tenant"],
    [`UseDevelopmentStorage=true;TenantId=${SECRET}`, "nothing that belongs to a credential"],
    [`Endpoint=https://h;Authentication=None;${SECRET}+=1`, "a key is not known"],
    [`Endpoint=https://h;Authentication=None;${SECRET}+=1;${SECRET}+=1`, "a key is there twice"],
    [`Endpoint=https://h/${SECRET};Authentication=None`, "Endpoint must be a host and a port"],
    [`Endpoint=https://h?sig=${SECRET};Authentication=None`, "Endpoint must be a host and a port"],
    [`Endpoint=https://h;Authentication=None;TaskHub=${SECRET}é`, "printable ASCII"],
    [`Endpoint=ftp://${SECRET};Authentication=None`, "Endpoint is not an address"],
    [`Endpoint=http://;Authentication=None`, "Endpoint is not an address"],
    [`Endpoint=http://a b ${SECRET};Authentication=None`, "Endpoint is not an address"],
    [`Endpoint=http://localhost:99999;Authentication=None`, "Endpoint is not an address"],
    [`Endpoint=http://user:${SECRET}@localhost;Authentication=None`, "must not hold a user name or a password"],
    [`Endpoint=${SECRET}@localhost;Authentication=None`, "must not hold a user name or a password"],
  ])("%j is refused with the name of the wrong part, and no value is repeated", (flag, expected) => {
    const error = errorOf({ flag });
    expect(error.message).toContain("--connection-string");
    expect(error.message).toContain(expected);
    expect(error.message).not.toContain(SECRET);
    expect(error.exitCode).toBe(ExitCode.Usage);
  });
});

const PARTS = {
  clientId: "11111111-2222-3333-4444-555555555555",
  tenantId: "contoso.example",
  tokenFilePath: "/run/secrets/a=b",
  additionallyAllowedTenants: ["a", "b"],
} as const;

describe("a kind of credential", () => {
  test.each(Object.entries(CREDENTIAL_KINDS))("%s is read with each of its keys, in any letter case", (kind, keys) => {
    const text = keys.map((key) => `;${CREDENTIAL_KEYS[key].toUpperCase()} = ${String(PARTS[key])}`).join("");
    const flag = `Endpoint=host.example;Authentication=${kind.toLowerCase()};TaskHub=hub${text}`;
    expect(resolve({ flag })).toEqual({
      kind: "endpoint",
      url: new URL("https://host.example"),
      taskHub: "hub",
      authentication: { kind, ...Object.fromEntries(keys.map((key) => [key, PARTS[key]])) },
      source: "--connection-string",
    });
    expect(resolve({ flag: `Endpoint=host.example;Authentication=${kind}` })).toMatchObject({
      authentication: { kind },
    });
  });

  test.each(Object.entries(CREDENTIAL_KINDS))("%s refuses the keys that it does not use", (kind, used) => {
    const unused = (Object.keys(CREDENTIAL_KEYS) as CredentialKey[]).filter(
      (key) => !(used as readonly string[]).includes(key),
    );
    for (const key of unused) {
      const flag = `Endpoint=host.example;Authentication=${kind};${CREDENTIAL_KEYS[key]}=${SECRET}`;
      expect(errorOf({ flag }).message).toContain(`Authentication=${kind} does not use ${CREDENTIAL_KEYS[key]}`);
    }
  });

  test("an unknown one is answered with those that are known", () => {
    const { message } = errorOf({ flag: "Endpoint=host.example;Authentication=Kerberos" });
    for (const kind of AUTHENTICATION_KINDS) expect(message).toContain(kind);
  });
});

function settingsFor(endpoint: string, kind = "DefaultAzure"): string {
  return JSON.stringify({ DurableTaskScheduler: { ConnectionString: `Endpoint=${endpoint};Authentication=${kind}` } });
}

describe("a credential that a settings file asks for", () => {
  test.each(["mine.westeurope.durabletask.io", "HTTPS://X.DurableTask.IO:443"])("goes to %s", (endpoint) => {
    writeSettings(settingsFor(endpoint));
    expect(resolve({})).toMatchObject({ authentication: { kind: "DefaultAzure" } });
  });

  test.each([
    "evil-durabletask.io",
    "durabletask.io",
    "durabletask.io.evil.com",
    "x.durabletask.io.",
    "evil.com?x.durabletask.io",
    "evil.com#.durabletask.io",
    "evil.com/.durabletask.io",
    "x.durabletask.io@evil.com",
    "evil.com:443\\\\.durabletask.io",
    "localhost",
    "http://x.durabletask.io",
  ])("does not go to %s", (endpoint) => {
    writeSettings(settingsFor(endpoint));
    const { message } = errorOf({});
    expect(message).toContain("appsettings.json");
  });

  test("goes elsewhere only if the flag or the variable says so", () => {
    writeSettings(settingsFor("elsewhere.example"));
    expect(errorOf({}).message).toContain("*.durabletask.io only");
    const flag = "Endpoint=elsewhere.example;Authentication=DefaultAzure";
    expect(resolve({ flag })).toMatchObject({ kind: "endpoint" });
    expect(resolve({ env: { DURABLE_TASK_CONNECTION_STRING: flag } })).toMatchObject({ kind: "endpoint" });
  });

  test("needs no check if there is none", () => {
    writeSettings(settingsFor("http://localhost:8080", "None"));
    expect(resolve({})).toMatchObject({ authentication: { kind: "None" } });
  });
});

/** Not in quotes, which are refused. */
const word = fc.stringMatching(/^[!-:<-~]([ -:<-~]{0,20}[!-:<-~])?$/).filter((text) => !/^["']/u.test(text));
const tenant = fc.stringMatching(/^[a-zA-Z0-9.*-]{1,20}$/);
const url = fc
  .tuple(fc.constantFrom("h", "a.durabletask.io", "127.0.0.1", "[::1]"), fc.integer({ min: 1, max: 65_535 }))
  .map(([host, port]) => `${host}:${port}`);
const PART_VALUES = {
  clientId: word,
  tenantId: word,
  tokenFilePath: word,
  additionallyAllowedTenants: fc.array(tenant, { minLength: 1, maxLength: 3 }),
};
const credential = fc.constantFrom(...(Object.keys(CREDENTIAL_KINDS) as CredentialKind[])).chain((kind) => {
  const keys = CREDENTIAL_KINDS[kind].map((key) => [key, PART_VALUES[key]] as const);
  return fc.record({ kind: fc.constant(kind), ...Object.fromEntries(keys) }, { requiredKeys: ["kind"] });
}) as fc.Arbitrary<CredentialAuthentication>;
const connections: fc.Arbitrary<Connection> = fc.oneof(
  fc.record({ kind: fc.constant("emulator" as const), taskHub: word, source: fc.constant("a test") }),
  fc.record({
    kind: fc.constant("endpoint" as const),
    url: url.map((text) => new URL(`http://${text}`)),
    taskHub: word,
    authentication: fc.constant({ kind: "None" as const }),
    source: fc.constant("a test"),
  }),
  fc.record({
    kind: fc.constant("endpoint" as const),
    url: url.map((text) => new URL(`https://${text}`)),
    taskHub: word,
    authentication: credential,
    source: fc.constant("a test"),
  }),
);

test("a connection that is written as a string is read as the same connection", () => {
  fc.assert(
    fc.property(connections, (connection) => {
      expect(parseConnection({ text: formatConnection(connection), source: "a test" })).toEqual(connection);
      const { DURABLE_TASK_CONNECTION_STRING: text } = workerEnvironment(connection, {
        transport: "http2",
        replay: "sessions",
        mostActivities: 2_000,
      });
      expect(parseConnection({ text: text!, source: "a test" })).toEqual(connection);
    }),
  );
});

describe("where it comes from", () => {
  const flag = "UseDevelopmentStorage=true;TaskHub=flag";
  const SCHEDULER_VARIABLE = "DURABLE_TASK_SCHEDULER_CONNECTION_STRING";
  const samples = {
    [SCHEDULER_VARIABLE]: "UseDevelopmentStorage=true;TaskHub=scheduler",
    DTS_CONNECTION_STRING: "UseDevelopmentStorage=true;TaskHub=dts",
  };
  const env = { ...samples, DURABLE_TASK_CONNECTION_STRING: "UseDevelopmentStorage=true;TaskHub=variable" };
  const settings = { DurableTaskScheduler: { ConnectionString: "UseDevelopmentStorage=true;TaskHub=settings" } };

  test.each<[string, ConnectionSources, boolean, string, string]>([
    ["the flag wins over all", { flag, env }, true, "flag", "--connection-string"],
    ["then the variable", { env }, true, "variable", "DURABLE_TASK_CONNECTION_STRING"],
    ["then the first name of Microsoft's samples", { env: samples }, true, "scheduler", SCHEDULER_VARIABLE],
    ["then the second", { env: { ...samples, [SCHEDULER_VARIABLE]: "" } }, true, "dts", "DTS_CONNECTION_STRING"],
    ["then the settings file", {}, true, "settings", "appsettings.json"],
    [
      "an empty variable is none",
      { env: { DURABLE_TASK_CONNECTION_STRING: "" } },
      true,
      "settings",
      "appsettings.json",
    ],
    ["then the embedded emulator", {}, false, "default", "the default"],
  ])("%s", (_, sources, withSettings, taskHub, source) => {
    if (withSettings) writeSettings(JSON.stringify(settings));

    expect(resolve(sources)).toEqual({ kind: "emulator", taskHub, source });
  });

  test("an empty flag is refused, and does not fall through to the next source", () => {
    expect(errorOf({ flag: "", env }).message).toContain("--connection-string");
  });

  test("--task-hub wins over the string, and may not be empty", () => {
    expect(resolve({ flag, taskHub: "other" }).taskHub).toBe("other");
    expect(errorOf({ flag, taskHub: "" }).message).toContain("TaskHub is empty");
  });

  test("an error names its source", () => {
    expect(errorOf({ env: { DURABLE_TASK_CONNECTION_STRING: "x" } }).message).toContain(
      "DURABLE_TASK_CONNECTION_STRING",
    );
    writeSettings('{"DurableTaskScheduler":{"ConnectionString":"x"}}');
    expect(errorOf({}).message).toContain("appsettings.json");
  });

  test.each<[string, string, string]>([
    ["a byte order mark", `\uFEFF${JSON.stringify(settings)}`, "settings"],
    ["other settings beside it", JSON.stringify({ Logging: { Level: 1 }, ...settings }), "settings"],
    ["no section of ours", '{"Logging": {}}', "default"],
    ["an empty section", '{"DurableTaskScheduler": {}}', "default"],
  ])("a settings file with %s is read", (_, content, taskHub) => {
    writeSettings(content);
    expect(resolve({}).taskHub).toBe(taskHub);
  });

  test.each<[string, string, string]>([
    ["is not JSON", `{ "${SECRET}": `, "is not JSON"],
    ["is empty", "", "is not JSON"],
    ["is a list", `["${SECRET}"]`, "found another shape"],
    ["is null", "null", "found another shape"],
    ["has a text for the section", `{"DurableTaskScheduler": "${SECRET}"}`, "found another shape"],
    ["has a number", '{"DurableTaskScheduler": {"ConnectionString": 5}}', "found another shape"],
    ["has an empty text", '{"DurableTaskScheduler": {"ConnectionString": ""}}', "found another shape"],
  ])("a settings file that %s is refused by name, and none of it is repeated", (_, content, expected) => {
    writeSettings(content);
    const { message } = errorOf({});
    expect(message).toContain("appsettings.json");
    expect(message).toContain(expected);
    expect(message).not.toContain(SECRET);
  });

  test("a settings file that cannot be read is refused by name", () => {
    mkdirSync(path.join(folder, "appsettings.json"));
    expect(errorOf({}).message).toContain("appsettings.json cannot be read");
  });

  test("a wrong settings file has no effect if another source comes first", () => {
    writeSettings("{");
    expect(resolve({ flag }).taskHub).toBe("flag");
    expect(resolve({ env }).taskHub).toBe("variable");
  });
});
