import { expect, test } from "vitest";
import { idempotencyKeyOf } from "../../../src/http/idempotency-key.js";

test.each([
  [undefined, undefined],
  ['"8e03978e-40d5"', "8e03978e-40d5"],
  ["8e03978e-40d5", "8e03978e-40d5"],
  ['"with a space"', "with a space"],
  [String.raw`"a \"quote\""`, 'a "quote"'],
  [`"${"x".repeat(255)}"`, "x".repeat(255)],
])("the key of %s is %s", (header, key) => {
  expect(idempotencyKeyOf(header)).toBe(key);
});

test.each(["", '"', '""', "a b", '"a', '"a"b"', "ä", "x".repeat(256)])("%j is no key", (header) => {
  expect(() => idempotencyKeyOf(header)).toThrow("Idempotency-Key: expected 1 to 255 printable ASCII characters");
});
