import { childrenIn, type InstanceHistory } from "./instance-history.js";
import type { Clocks } from "../breakdown/clocks.js";
import type { TracedInstance } from "../breakdown/traced-instance.js";
import type { Timeline } from "../result/timeline-schema.js";
import { foldedTimeline } from "./fold.js";
import { timelinesOf } from "./timeline.js";

/** What a result keeps of a timeline, some 20 kB of JSON: an instance, and the first of its sub-orchestrations. */
const KEPT: KeptOfTimeline = {
  instance: { spans: 40, marks: 20 },
  child: { spans: 8, marks: 5 },
  children: 5,
};

interface Most {
  readonly spans: number;
  readonly marks: number;
}

/** How much is kept of an instance, of each of its sub-orchestrations, and of how many of those. */
export interface KeptOfTimeline {
  readonly instance: Most;
  readonly child: Most;
  readonly children: number;
}

/**
 * The timelines of a traced instance and of the first of its sub-orchestrations, folded to what `kept` allows. Empty where
 * the history is gone.
 */
export function keptTimelines(instance: TracedInstance, workers: Clocks["workers"], kept = KEPT): readonly Timeline[] {
  if (!instance.history.some(({ kind }) => kind === "execution-started")) return [];
  return timelinesOf(historiesOf(instance, kept.children), instance.endedUs, workers).map((timeline) =>
    foldedTimeline(timeline, timeline.depth === 0 ? kept.instance : kept.child),
  );
}

/** The instance, and each of the first sub-orchestrations before its own. */
function historiesOf(instance: TracedInstance, mostChildren: number): readonly InstanceHistory[] {
  const found: InstanceHistory[] = [];
  const add = (instanceId: string, history: InstanceHistory["history"], place: Place): void => {
    if (found.length > mostChildren || found.some((other) => other.instanceId === instanceId)) return;
    found.push({ ...factsOf(instance, history), instanceId, history, ...place });
    for (const id of childrenIn(history)) {
      const child = instance.children.get(id);
      if (child) add(id, child, { depth: place.depth + 1, parentInstanceId: instanceId });
    }
  };
  add(instance.instanceId, instance.history, { depth: 0 });
  return found;
}

type Place = Pick<InstanceHistory, "depth" | "parentInstanceId">;

function factsOf({ history: own, outcome, createdUs }: TracedInstance, history: InstanceHistory["history"]) {
  const started = history.find((moment) => moment.kind === "execution-started");
  const startedUs = started?.atUs ?? history[0]?.atUs ?? 0;
  const endedUs = history.findLast(({ kind }) => kind === "ended")?.atUs;
  return {
    name: started?.name ?? "",
    // A history that has ended says how.
    status: history === own && outcome === "terminated" ? "Terminated" : "Running",
    createdUs: history === own ? (createdUs ?? startedUs) : startedUs,
    completedUs: endedUs ?? (history === own && outcome === "terminated" ? history.at(-1)?.atUs : undefined),
  };
}
