import { z } from "zod";

const LABEL = /^(?<key>[A-Za-z][\w.-]{0,62})=(?<value>.{0,200})$/su;

/** `--label k=v`, repeatable. */
export const labelFlags = {
  label: z
    .array(
      z.string().transform((text, context) => {
        const { key, value } = LABEL.exec(text)?.groups ?? {};
        if (key !== undefined && value !== undefined) return [key, value] as const;
        context.addIssue({ code: "custom", message: `--label: expected a label such as branch=main, found "${text}"` });
        return z.NEVER;
      }),
    )
    .default([]),
};

/** The labels by their keys; absent without labels. If a key is repeated, the last value counts. */
export function labelsOf({ label }: { readonly label: readonly (readonly [string, string])[] }) {
  return label.length === 0 ? {} : { labels: Object.fromEntries(label) };
}
