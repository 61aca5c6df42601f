import { activitiesOf, type History } from "./critical-path.js";

/** A fan-out of an orchestration and its fan-in: one iteration. Microseconds by the backend's clock. */
export interface FanOut {
  /** When the episode began that asked for its activities. */
  readonly fromUs: number;
  /** When the episode began that went on after the last of them. */
  readonly toUs: number;
  /** TaskScheduled until the result was in the history, of each activity, ascending. */
  readonly activitiesUs: readonly number[];
  /** Begun for it, the ones that waited on included. */
  readonly episodes: number;
}

/** The fan-outs of an execution whose activities have all been answered and that it went on after, in order. */
export function fanOutsOf(history: History): readonly FanOut[] {
  const tookUs = new Map<number, number>();
  for (const { id, fromUs, toUs } of activitiesOf(history)) tookUs.set(id, toUs - fromUs);
  const fanOuts: FanOut[] = [];
  let episodes = 0;
  let startedUs = 0;
  let open: { readonly fromUs: number; readonly episode: number; readonly ids: number[] } | undefined;
  const close = (): void => {
    if (open === undefined || open.episode === episodes) return;
    const activitiesUs = open.ids.flatMap((id) => tookUs.get(id) ?? []).toSorted((a, b) => a - b);
    if (activitiesUs.length === open.ids.length)
      fanOuts.push({ fromUs: open.fromUs, toUs: startedUs, activitiesUs, episodes: episodes - open.episode });
    open = undefined;
  };
  for (const moment of history) {
    if (moment.kind === "orchestrator-started") {
      episodes += 1;
      startedUs = moment.atUs;
    } else if (moment.kind === "ended") {
      close();
    } else if (moment.kind === "asked") {
      close();
      if (moment.what !== "activity") continue;
      open ??= { fromUs: startedUs, episode: episodes, ids: [] };
      open.ids.push(moment.id);
    }
  }
  return fanOuts;
}

/** What it took, in microseconds. */
export function lengthOf({ fromUs, toUs }: FanOut): number {
  return Math.max(0, toUs - fromUs);
}
