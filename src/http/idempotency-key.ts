import { HttpError } from "./http-error.js";

/** A string of RFC 9651, with its quotes, or the same without them, as many clients send it. */
const QUOTED = /^"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])+)"$/u;
const BARE = /^[\x21\x23-\x5b\x5d-\x7e]+$/u;
const LONGEST = 255;

/**
 * The key of a start that may be repeated: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 * @throws HttpError 400
 */
export function idempotencyKeyOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const key = BARE.test(header) ? header : QUOTED.exec(header)?.[1]?.replaceAll(/\\(.)/gu, "$1");
  if (key !== undefined && key.length <= LONGEST) return key;
  throw new HttpError(
    400,
    `Idempotency-Key: expected 1 to ${LONGEST} printable ASCII characters, found something else.`,
    {
      field: "Idempotency-Key",
    },
  );
}
