import { z } from "zod";

/** The two claims of a token that a person may see. */
export interface TokenClaims {
  readonly tenantId: string | undefined;
  readonly expiresAtMs: number | undefined;
}

const Claims = z.object({ tid: z.string().optional(), exp: z.number().optional() });

/** Reads the claims of a JSON Web Token. The backend verifies it, not fanout. Any other text has no claims. */
export function claimsOf(token: string): TokenClaims {
  const payload = token.split(".")[1] ?? "";
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(payload, "base64url").toString());
  } catch {
    json = undefined;
  }
  const claims = Claims.safeParse(json);
  const { tid, exp } = claims.success ? claims.data : {};
  return { tenantId: tid, expiresAtMs: exp === undefined ? undefined : exp * 1000 };
}
