import { z } from "zod";

// The message of each is what was expected. A field that is not known here passes: a newer fanout may have written it.
export const string = z.string("a string");
export const boolean = z.boolean("true or false");
export const signed = z.number("a number");
export const number = signed.min(0, "a number from 0 on");
export const count = z.int("a whole number").min(0, "a whole number from 0 on");
export const byGrpcStatus = z
  .record(z.string().regex(/^\w+$/u), count, "an object of counts by gRPC status")
  .describe("By gRPC status name, such as UNAVAILABLE.");

export const object = <T extends z.ZodRawShape>(shape: T) => z.looseObject(shape, "an object");
export const list = <T extends z.ZodType>(item: T) => z.array(item, "a list");
export const listed = <T extends z.ZodType>(item: T) => object({ total: count, first: list(item) });
export const byName = <T extends z.ZodType>(value: T, expected: string) => z.record(z.string(), value, expected);

export function oneOf<const T extends readonly string[]>(...words: T) {
  const quoted = words.map((word) => `"${word}"`);
  return z.enum(words, `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`);
}
