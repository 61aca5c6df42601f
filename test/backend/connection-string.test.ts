import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { resolveConnection, type ConnectionSources } from "../../src/backend/connection-string.js";
import { UsageError } from "../../src/errors.js";
import { ExitCode } from "../../src/exit-codes.js";

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
      { kind: "endpoint", origin: "http://localhost:8080", taskHub: "default", authentication: "None" },
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
    [`Endpoint=http://localhost;Endpoint=${SECRET}`, "Endpoint stands there twice"],
    [`TaskHub=a;taskhub=${SECRET};UseDevelopmentStorage=true`, "taskhub stands there twice"],
    [`UseDevelopmentStorage=true;AccountKey=${SECRET}`, 'the key "accountkey" is not known'],
    [`UseDevelopmentStorage=${SECRET}`, "expected UseDevelopmentStorage=true"],
    ["UseDevelopmentStorage=true;Endpoint=http://localhost", "takes no Endpoint"],
    ["UseDevelopmentStorage=true;Authentication=None", "no Authentication"],
    ["UseDevelopmentStorage=true;TaskHub=", "TaskHub is empty"],
    ["Endpoint=http://localhost", "Authentication is missing"],
    [`Endpoint=http://localhost;Authentication=${SECRET}`, "that kind of Authentication is not known"],
    ["Endpoint=http://localhost;Authentication=defaultazure", "Authentication=DefaultAzure is not supported"],
    ["Endpoint=http://localhost;Authentication=AzureCli", "Authentication=AzureCli is not supported"],
    [`Endpoint=http://localhost;Authentication=None;clientid=${SECRET}`, "ClientID is not supported"],
    [`Endpoint=http://localhost;Authentication=None;TokenFilePath=${SECRET}`, "TokenFilePath is not supported"],
    [`Endpoint=ftp://${SECRET};Authentication=None`, "Endpoint is not an address"],
    [`Endpoint=http://;Authentication=None`, "Endpoint is not an address"],
    [`Endpoint=http://a b ${SECRET};Authentication=None`, "Endpoint is not an address"],
    [`Endpoint=http://localhost:99999;Authentication=None`, "Endpoint is not an address"],
    [`Endpoint=http://user:${SECRET}@localhost;Authentication=None`, "must not hold a user name or a password"],
    [`Endpoint=${SECRET}@localhost;Authentication=None`, "must not hold a user name or a password"],
  ])("%j is refused by the part that is wrong, and no value is told", (flag, expected) => {
    const error = errorOf({ flag });
    expect(error.message).toContain("--connection-string");
    expect(error.message).toContain(expected);
    expect(error.message).not.toContain(SECRET);
    expect(error.exitCode).toBe(ExitCode.Usage);
  });
});

describe("where it comes from", () => {
  const flag = "UseDevelopmentStorage=true;TaskHub=flag";
  const env = { DURABLE_TASK_CONNECTION_STRING: "UseDevelopmentStorage=true;TaskHub=variable" };
  const settings = { DurableTaskScheduler: { ConnectionString: "UseDevelopmentStorage=true;TaskHub=settings" } };

  test.each<[string, ConnectionSources, boolean, string, string]>([
    ["the flag wins over all", { flag, env }, true, "flag", "--connection-string"],
    ["then the variable", { env }, true, "variable", "DURABLE_TASK_CONNECTION_STRING"],
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
    if (withSettings) {
      writeSettings(JSON.stringify(settings));
    }
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
  ])("a settings file that %s is refused by name, and nothing of it is told", (_, content, expected) => {
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

  test("a settings file that is wrong does not matter where another source comes first", () => {
    writeSettings("{");
    expect(resolve({ flag }).taskHub).toBe("flag");
    expect(resolve({ env }).taskHub).toBe("variable");
  });
});
