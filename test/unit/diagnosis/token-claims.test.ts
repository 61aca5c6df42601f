import { expect, test } from "vitest";
import { claimsOf } from "../../../src/diagnosis/token-claims.js";

const tokenOf = (payload: unknown): string =>
  `Bearer header.${Buffer.from(JSON.stringify(payload)).toString("base64url")}.signature`;
const NOTHING = { tenantId: undefined, expiresAtMs: undefined };

test.each<[string, string, ReturnType<typeof claimsOf>]>([
  ["tenant and expiry", tokenOf({ tid: "t", exp: 5, oid: "x" }), { tenantId: "t", expiresAtMs: 5_000 }],
  ["neither", tokenOf({}), NOTHING],
  ["values of another type", tokenOf({ tid: 5, exp: "5" }), NOTHING],
  ["a text", tokenOf("x"), NOTHING],
  ["no token of this form", "opaque", NOTHING],
  ["no base64", "a.!!!.c", NOTHING],
  ["nothing", "", NOTHING],
])("%s is read from a token", (_, token, expected) => {
  expect(claimsOf(token)).toEqual(expected);
});
