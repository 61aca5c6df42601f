/** The keys of a connection string that describe a credential, as they are written there. */
export const CREDENTIAL_KEYS = {
  clientId: "ClientID",
  tenantId: "TenantId",
  tokenFilePath: "TokenFilePath",
  additionallyAllowedTenants: "AdditionallyAllowedTenants",
} as const;

export type CredentialKey = keyof typeof CREDENTIAL_KEYS;

/** Each kind of credential, and the keys that it uses. Any other key is refused, because it would have no effect. */
export const CREDENTIAL_KINDS = {
  DefaultAzure: ["clientId", "tenantId", "additionallyAllowedTenants"],
  ManagedIdentity: ["clientId"],
  WorkloadIdentity: ["clientId", "tenantId", "tokenFilePath", "additionallyAllowedTenants"],
  Environment: ["additionallyAllowedTenants"],
  AzureCli: ["tenantId", "additionallyAllowedTenants"],
  AzurePowerShell: ["tenantId", "additionallyAllowedTenants"],
  VisualStudioCode: ["tenantId", "additionallyAllowedTenants"],
  InteractiveBrowser: ["clientId", "tenantId", "additionallyAllowedTenants"],
} as const satisfies Record<string, readonly CredentialKey[]>;

export type CredentialKind = keyof typeof CREDENTIAL_KINDS;

/** How to get a token. An absent field has the default of that kind of credential. */
export interface CredentialAuthentication {
  readonly kind: CredentialKind;
  readonly clientId?: string;
  readonly tenantId?: string;
  readonly tokenFilePath?: string;
  readonly additionallyAllowedTenants?: readonly string[];
}

export type Authentication = { readonly kind: "None" } | CredentialAuthentication;

/** In the order in which an error lists them. */
export const AUTHENTICATION_KINDS: readonly Authentication["kind"][] = [
  "None",
  ...(Object.keys(CREDENTIAL_KINDS) as CredentialKind[]),
];
