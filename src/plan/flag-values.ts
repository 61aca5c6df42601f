import { z } from "zod";
import { UsageError } from "../errors.js";
import { BYTES_EXPECTED, parseBytes } from "../format/byte-count.js";
import { formatBytes } from "../format/bytes.js";
import { COUNT_EXPECTED, formatCount, parseCount } from "../format/count.js";
import { DURATION_EXPECTED, parseDuration } from "../format/duration.js";
import { parseShare } from "../format/share.js";

/** A Node timer set for longer than 2^31 ms fires at once. */
const LONGEST_TIMEOUT_MS = 24 * 24 * 3_600_000;
/** More than there are flags. A flag that takes a list may have any number of wrong values. */
const MOST_TOLD = 100;

/**
 * Reads flags by their schema.
 * @throws UsageError that names all wrong flags, up to 100 wrong values
 */
export function readFlags<T extends z.ZodType>(schema: T, flags: unknown): z.output<T> {
  const parsed = schema.safeParse(flags);
  if (parsed.success) return parsed.data;
  const told = parsed.error.issues.slice(0, MOST_TOLD);
  const [first, ...more] = told.map((issue) => new UsageError("invalid-value", messageOf(issue)));
  throw UsageError.all([first!, ...more]);
}

/** A count as people write it, within bounds; the message of a wrong one names the flag. */
export function count(flag: string, least: number, most: number, expected: string = COUNT_EXPECTED) {
  return z.string().transform((text, context) => {
    const value = parseCount(text);
    if (value !== undefined && value >= least && value <= most) return value;
    const range =
      value === undefined
        ? expected
        : value < least
          ? `at least ${formatCount(least)}`
          : `at most ${formatCount(most)}`;
    context.addIssue({ code: "custom", message: `${flag}: expected ${range}, found "${text}"` });
    return z.NEVER;
  });
}

/** Bytes as people write them, within bounds; the message of a wrong one names the flag. */
export function byteCount(flag: string, most: number) {
  return z.string().transform((text, context) => {
    const value = parseBytes(text);
    if (value !== undefined && value <= most) return value;
    const expected = value === undefined ? BYTES_EXPECTED : `at most ${formatBytes(most)}`;
    context.addIssue({ code: "custom", message: `${flag}: expected ${expected}, found "${text}"` });
    return z.NEVER;
  });
}

/** A duration as people write it, in milliseconds. */
export function duration(flag: string) {
  return z.string().transform((text, context) => {
    const ms = parseDuration(text);
    if (ms !== undefined && ms > 0 && ms <= LONGEST_TIMEOUT_MS) return ms;
    const expected = ms === undefined ? DURATION_EXPECTED : ms > 0 ? "at most 576h" : "more than 0";
    context.addIssue({ code: "custom", message: `${flag}: expected ${expected}, found "${text}"` });
    return z.NEVER;
  });
}

/** A share from 0 to 1 as people write it; `example` is for the message of a wrong one. */
export function share(flag: string, example: string) {
  return z.string().transform((text, context) => {
    const value = parseShare(text);
    if (value !== undefined) return value;
    const message = `${flag}: expected a share from 0 to 1 such as ${example}, found "${text}"`;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  });
}

/** The values whose flag is in the table and was given. */
export function given<T extends object, K extends keyof T>(
  values: T,
  table: Readonly<Record<K, z.ZodType>>,
): Given<Pick<T, K>> {
  const entries = Object.entries(values).filter(([name, value]) => value !== undefined && Object.hasOwn(table, name));
  return Object.fromEntries(entries) as Given<Pick<T, K>>;
}

/** A flag that was not given has no field. */
export type Given<T> = { readonly [K in keyof T]: Exclude<T[K], undefined> };

/** A union hides the reasons of its members. The last one is the most specific. */
function messageOf(issue: z.core.$ZodIssue): string {
  const nested = issue.code === "invalid_union" ? issue.errors.at(-1)?.[0] : undefined;
  return nested?.message ?? issue.message;
}
