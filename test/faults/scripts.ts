import type { Random } from "./random.js";
import { KINDS, bystander, pause, recreation, type Draft } from "./script-kinds.js";
import type { Orchestrator } from "./workload.js";

/** What a client does with one instance, step by step; each step is asked for until it is acknowledged. */
export interface Script {
  readonly hub: Hub;
  readonly instanceId: string;
  readonly orchestrator: Orchestrator;
  readonly input: unknown;
  readonly steps: readonly Step[];
}

/** The second has instances of the same ids as the first; the third is emptied at some time. */
export const HUBS = ["default", "second", "emptied"] as const;

export type Hub = (typeof HUBS)[number];

/** `afterMs`: the pause before it. */
export type Step = { readonly afterMs: number } & (
  | { readonly do: "suspend" | "resume" | "rewind" | "terminate" | "awaitEnd" | "purge" }
  /** `aheadMs`: how much later than now it is to begin. */
  | { readonly do: "start"; readonly aheadMs?: number }
  /** Starts another in the place of the one that is there, whatever that does. */
  | { readonly do: "replace"; readonly orchestrator: Orchestrator; readonly input: unknown }
  | { readonly do: "restart"; readonly withNewId: boolean }
  | { readonly do: "awaitStart" | "endAtOnce"; readonly instanceId: string }
  /** Reads the history again and again until it has its end. */
  | { readonly do: "watchHistory" }
  | { readonly do: "raise"; readonly event: string; readonly data: number }
  /** Makes the file that the activity `Mended` looks for. */
  | { readonly do: "mend"; readonly file: string }
  /** Empties the task hub. */
  | { readonly do: "recreate" }
);

/** What a terminated instance has as its output. */
export const TERMINATION = "enough";

/** Starts of a seed are spread over so many milliseconds. */
const SPREAD_MS = 1_200;
const MORE_ON_THE_FIRST = 3;
const ON_THE_SECOND = 4;
const BYSTANDERS = 4;

/** One script of each kind, and some more. `folder` is where files of the seed may go. */
export function drawScripts(random: Random, folder: string): Script[] {
  const more = Array.from({ length: MORE_ON_THE_FIRST }, () => random.pick(KINDS));
  const first = [...KINDS, ...more].map((kind, place) => {
    const file = `${folder}/default-${place}`;
    return { hub: "default", place, ...kind(random, { instanceId: idOf(place), file }) } as const;
  });
  const second = Array.from({ length: ON_THE_SECOND }, (_, turn) => {
    // The same ids as on the first, for something else.
    const place = random.between(0, 3) + turn * 4;
    const file = `${folder}/second-${place}`;
    return { hub: "second", place, ...random.pick(KINDS)(random, { instanceId: idOf(place), file }) } as const;
  });
  const third = [recreation, ...Array.from({ length: BYSTANDERS }, () => bystander)].map((kind, place) => {
    return { hub: "emptied", place, ...kind(random) } as const;
  });
  return [...first, ...second, ...third].map((draft) => scriptOf(random, draft));
}

function scriptOf(random: Random, draft: Draft & { readonly hub: Hub; readonly place: number }): Script {
  const { hub, place, orchestrator, input, start = {}, steps = [] } = draft;
  const instanceId = idOf(place);
  return {
    hub,
    instanceId,
    orchestrator,
    input: { ...input, of: instanceId, padding: padding(random) },
    steps: [
      { do: "start", afterMs: random.between(0, SPREAD_MS), ...start },
      ...steps.map((step) => pause(random, step)),
    ],
  };
}

function idOf(place: number): string {
  return `instance-${place}`;
}

/** A full disk is one that has no room for the next: a start takes some. */
function padding(random: Random): string {
  return "x".repeat(random.scaled(1, 8_000));
}
