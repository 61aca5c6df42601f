import { z } from "zod";
import { pairs, type Pairs } from "./labels.js";

const VERSION = /^\P{Cc}{1,100}$/u;

/** The flags of `fanout run` for each instance that it starts, as commander returns them. */
export const instanceFlags = {
  instanceVersion: z
    .string()
    .regex(VERSION, { error: () => "--instance-version: expected a version of 1 to 100 characters, such as 2.1.0" })
    .optional(),
  tag: pairs("--tag", "a tag such as team=shop"),
};

/** The version and the tags of each instance; absent without. If a tag is repeated, the last value counts. */
export function instancePlanOf({
  instanceVersion,
  tag,
}: {
  readonly instanceVersion?: string | undefined;
  readonly tag: Pairs;
}) {
  return {
    ...(instanceVersion !== undefined && { instanceVersion }),
    ...(tag.length > 0 && { tags: Object.fromEntries(tag) }),
  };
}
