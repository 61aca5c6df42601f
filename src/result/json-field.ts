import { z } from "zod";

// The message of each field is the expected value. An unknown field passes, because a newer fanout may have written it.
export const string = z.string("a string");
export const boolean = z.boolean("true or false");
export const signed = z.number("a number");
export const number = signed.min(0, "a number from 0 on");
export const count = z.int("a whole number").min(0, "a whole number from 0 on");

/** Its type has only the known fields, though other fields pass. */
export const object = <T extends z.ZodRawShape>(shape: T) =>
  z.looseObject(shape, "an object") as unknown as z.ZodObject<T>;
export const list = <T extends z.ZodType>(item: T) => z.array(item, "a list");
export const byName = <T extends z.ZodType>(value: T, expected: string) => z.record(z.string(), value, expected);

/** A JSON value. */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain };
export const plain = z.json() as z.ZodType<Plain>;

export function oneOf<const T extends readonly string[]>(...words: T) {
  const quoted = words.map((word) => `"${word}"`);
  return z.enum(words, `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`);
}

/** The type of a schema's values for readers: a result is never changed. */
export type ValueOf<T extends z.ZodType> = Immutable<z.output<T>>;

/** A `Plain` value is immutable already, and its type is recursive. */
type Immutable<T> = [Plain] extends [T] ? T : T extends Primitive ? T : { readonly [K in keyof T]: Immutable<T[K]> };

type Primitive = string | number | boolean | null | undefined;
