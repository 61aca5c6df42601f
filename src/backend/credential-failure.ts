import { FanoutError } from "../errors.js";
import type { CredentialAuthentication, CredentialKind } from "./authentication.js";

/** The next step for each kind of credential. */
const NEXT_STEPS: Readonly<Record<CredentialKind, string>> = {
  DefaultAzure:
    "Run `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or run it where there is a " +
    "managed identity",
  ManagedIdentity: "Run it on an Azure machine that has a managed identity; set ClientID= for a user-assigned one",
  WorkloadIdentity:
    "Name it with ClientID=, TenantId= and TokenFilePath=, or with AZURE_CLIENT_ID, AZURE_TENANT_ID and " +
    "AZURE_FEDERATED_TOKEN_FILE, and make sure that the file is readable and current",
  Environment:
    "Set AZURE_TENANT_ID, AZURE_CLIENT_ID, and AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH, to valid values",
  AzureCli: "Run `az login`, with the Azure CLI on the PATH",
  AzurePowerShell: "Run `Connect-AzAccount` in PowerShell",
  VisualStudioCode:
    "It needs the package @azure/identity-vscode, which fanout does not bring: run `az login` and use " +
    "Authentication=AzureCli",
  InteractiveBrowser: "Sign in in the browser that opens; without a browser use another kind, for example AzureCli",
};

const NAMES: ReadonlySet<string> = new Set([
  "CredentialUnavailableError",
  "AuthenticationError",
  "AggregateAuthenticationError",
  "AuthenticationRequiredError",
]);

/**
 * Whether `@azure/identity` threw the error. It compares names, because loading the package takes longer than the rest.
 */
export function isCredentialError(error: unknown): error is Error {
  return error instanceof Error && NAMES.has(error.name);
}

/**
 * Says why there is no token, and the next step. It repeats only the error code of Microsoft Entra: the rest is the
 * output of other programs and servers, which may hold anything.
 */
export function credentialFailure(error: unknown, { kind }: CredentialAuthentication): FanoutError {
  return new FanoutError("credential-failed", `Authentication=${kind} gives no token: ${reasonOf(error)}.`, {
    hint: `${NEXT_STEPS[kind]}.`,
    cause: error,
  });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "the credential failed";

  const code = /AADSTS\d+/u.exec(error.message)?.[0];
  if (code !== undefined)
    return `Microsoft Entra refused the sign-in with ${code} (https://login.microsoftonline.com/error?code=${code.slice(6)})`;

  if (error.name === "TimeoutError" || error.name === "AbortError") return "the credential did not answer in time";

  // A missing credential may report a network error of its search, which would mislead.
  const isMissing = /^(?:CredentialUnavailable|AggregateAuthentication)Error$/u.test(error.name);
  if (!isMissing && /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ETIMEDOUT)\b|network_error/u.test(error.message))
    return "the sign-in service of Azure cannot be reached";

  if (error.name === "AuthenticationError") return "the sign-in was refused, or has expired";

  return "the credential is missing or has expired";
}
