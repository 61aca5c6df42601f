import type * as Identity from "@azure/identity";
import type { TokenCredential } from "@azure/identity";
import type { CredentialAuthentication, CredentialKind } from "./authentication.js";
import type { Token } from "./token-source.js";

/** The scope of a token: the data plane of every Durable Task Scheduler. */
export const TOKEN_SCOPE = "https://durabletask.io/.default";

/** A credential asks the network, a program or a person. The first two answer within this time. */
const PATIENCE_MS = 60_000;
/** The time for a person to sign in. */
const PATIENCE_WITH_A_PERSON_MS = 300_000;

type Parts = Omit<CredentialAuthentication, "kind" | "additionallyAllowedTenants"> & {
  readonly additionallyAllowedTenants?: string[];
};

const CREDENTIALS: Readonly<Record<CredentialKind, (identity: typeof Identity, parts: Parts) => TokenCredential>> = {
  DefaultAzure: (identity, { clientId, ...parts }) =>
    new identity.DefaultAzureCredential({
      ...parts,
      ...(clientId !== undefined && { managedIdentityClientId: clientId, workloadIdentityClientId: clientId }),
    }),
  ManagedIdentity: (identity, parts) => new identity.ManagedIdentityCredential(parts),
  WorkloadIdentity: (identity, parts) => new identity.WorkloadIdentityCredential(parts),
  Environment: (identity, parts) => new identity.EnvironmentCredential(parts),
  AzureCli: (identity, parts) => new identity.AzureCliCredential(parts),
  AzurePowerShell: (identity, parts) => new identity.AzurePowerShellCredential(parts),
  VisualStudioCode: (identity, parts) => new identity.VisualStudioCodeCredential(parts),
  InteractiveBrowser: (identity, parts) => new identity.InteractiveBrowserCredential(parts),
};

/** Loads `@azure/identity`, which is large and slow to load. Rejects if the kind misses its settings. */
export async function azureCredential(authentication: CredentialAuthentication): Promise<TokenCredential> {
  const { kind, additionallyAllowedTenants, ...parts } = authentication;
  const identity = await import("@azure/identity");
  return CREDENTIALS[kind](identity, {
    ...parts,
    ...(additionallyAllowedTenants !== undefined && { additionallyAllowedTenants: [...additionallyAllowedTenants] }),
  });
}

/** Fetches a new token. Rejects with the error of the credential, and after a timeout. */
export async function fetchToken(credential: TokenCredential, kind: CredentialKind): Promise<Token> {
  const patienceMs = kind === "InteractiveBrowser" ? PATIENCE_WITH_A_PERSON_MS : PATIENCE_MS;
  const abortSignal = AbortSignal.timeout(patienceMs);
  const tooLong = new Promise<never>((_, reject) => {
    abortSignal.addEventListener("abort", () => reject(abortSignal.reason));
  });
  const token = await Promise.race([credential.getToken(TOKEN_SCOPE, { abortSignal }), tooLong]);
  if (token === null) throw new Error("the credential has no token");

  return token;
}
