import {
  AggregateAuthenticationError,
  AuthenticationError,
  AzureCliCredential,
  AzurePowerShellCredential,
  CredentialUnavailableError,
  DefaultAzureCredential,
  EnvironmentCredential,
  InteractiveBrowserCredential,
  ManagedIdentityCredential,
  VisualStudioCodeCredential,
  WorkloadIdentityCredential,
} from "@azure/identity";
import { describe, expect, test } from "vitest";
import { CREDENTIAL_KINDS, type CredentialKind } from "../../../src/backend/authentication.js";
import { credentialFailure, isCredentialError } from "../../../src/backend/credential-failure.js";
import { TOKEN_SCOPE, azureCredential, fetchToken } from "../../../src/backend/credential.js";

const SECRET = "hunter2-secret";
const PARTS = {
  clientId: "11111111-2222-3333-4444-555555555555",
  tenantId: "22222222-2222-3333-4444-555555555555",
  tokenFilePath: "/nonexistent/token",
  additionallyAllowedTenants: ["a", "b"],
};

describe("a credential", () => {
  test.each<[CredentialKind, new (...args: never[]) => object]>([
    ["DefaultAzure", DefaultAzureCredential],
    ["ManagedIdentity", ManagedIdentityCredential],
    ["WorkloadIdentity", WorkloadIdentityCredential],
    ["Environment", EnvironmentCredential],
    ["AzureCli", AzureCliCredential],
    ["AzurePowerShell", AzurePowerShellCredential],
    ["VisualStudioCode", VisualStudioCodeCredential],
    ["InteractiveBrowser", InteractiveBrowserCredential],
  ])("of kind %s is made with all its keys", async (kind, expected) => {
    const keys = CREDENTIAL_KINDS[kind].map((key) => [key, PARTS[key]]);
    expect(await azureCredential({ kind, ...Object.fromEntries(keys) })).toBeInstanceOf(expected);
  });

  test("is asked for a token of the Scheduler", async () => {
    const scopes: unknown[] = [];
    const token = { token: SECRET, expiresOnTimestamp: 1 };
    const getToken = (scope: unknown): Promise<typeof token> => {
      scopes.push(scope);
      return Promise.resolve(token);
    };
    expect(await fetchToken({ getToken }, "AzureCli")).toBe(token);
    expect(scopes).toEqual(["https://durabletask.io/.default"]);
    expect(TOKEN_SCOPE).toBe(scopes[0]);
  });

  test("that has no token fails", async () => {
    await expect(fetchToken({ getToken: () => Promise.resolve(null) }, "AzureCli")).rejects.toThrow("no token");
  });
});

describe("a credential that fails", () => {
  const unavailable = new CredentialUnavailableError(`${SECRET} ENETUNREACH`);
  const refused = new AuthenticationError(401, {
    error: "invalid_client",
    error_description: `AADSTS7000215: ${SECRET}`,
  });

  test.each<[CredentialKind, unknown, string, string]>([
    ["AzureCli", unavailable, "is missing or has expired", "az login"],
    ["AzurePowerShell", unavailable, "is missing or has expired", "Connect-AzAccount"],
    ["VisualStudioCode", unavailable, "is missing or has expired", "@azure/identity-vscode"],
    ["ManagedIdentity", unavailable, "is missing or has expired", "ClientID="],
    ["WorkloadIdentity", unavailable, "is missing or has expired", "AZURE_FEDERATED_TOKEN_FILE"],
    ["InteractiveBrowser", unavailable, "is missing or has expired", "browser"],
    ["DefaultAzure", new AggregateAuthenticationError([unavailable]), "is missing or has expired", "az login"],
    ["Environment", refused, "refused the sign-in with AADSTS7000215", "AZURE_CLIENT_SECRET"],
    ["Environment", new AuthenticationError(400, SECRET), "was refused, or has expired", "AZURE_CLIENT_SECRET"],
    ["WorkloadIdentity", new Error(`getaddrinfo ENOTFOUND ${SECRET}`), "cannot be reached", "TokenFilePath="],
    ["WorkloadIdentity", new Error(`ENOENT: no such file, open '${SECRET}'`), "is missing or has", "TokenFilePath="],
    ["AzureCli", new DOMException(SECRET, "TimeoutError"), "did not answer in time", "az login"],
    ["AzureCli", SECRET, "the credential failed", "az login"],
  ])("%s has an error with the reason and the next step, and no secret", (kind, error, reason, step) => {
    const { message, exitCode } = credentialFailure(error, { kind });
    expect(message).toContain(`Authentication=${kind} gives no token: `);
    expect(message).toContain(reason);
    expect(message).toContain(step);
    expect(message).not.toContain(SECRET);
    expect(exitCode).toBe(1);
  });

  test("is recognised by its name", () => {
    expect([unavailable, refused, new AggregateAuthenticationError([])].every(isCredentialError)).toBe(true);
    expect(isCredentialError(new Error("AuthenticationError"))).toBe(false);
  });

  test("of kind AzureCli fails in this way without `az`", async () => {
    const credential = await azureCredential({ kind: "AzureCli" });
    const error: unknown = await fetchToken(credential, "AzureCli").catch((error: unknown) => error);
    expect(isCredentialError(error)).toBe(true);
  });
});
