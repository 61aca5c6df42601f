import { z } from "zod";

const PAIR = /^(?<key>[A-Za-z][\w.-]{0,62})=(?<value>.{0,200})$/su;

export type Pairs = readonly (readonly [key: string, value: string])[];

/** The values of a repeatable flag, such as `--label k=v`; the message of a wrong one names the flag. */
export function pairs(flag: string, expected: string) {
  return z
    .array(
      z.string().transform((text, context) => {
        const { key, value } = PAIR.exec(text)?.groups ?? {};
        if (key !== undefined && value !== undefined) return [key, value] as const;
        context.addIssue({ code: "custom", message: `${flag}: expected ${expected}, found "${text}"` });
        return z.NEVER;
      }),
    )
    .default([]);
}

export const labelFlags = { label: pairs("--label", "a label such as branch=main") };

/** The labels by their keys; absent without labels. If a key is repeated, the last value counts. */
export function labelsOf({ label }: { readonly label: Pairs }) {
  return label.length === 0 ? {} : { labels: Object.fromEntries(label) };
}
