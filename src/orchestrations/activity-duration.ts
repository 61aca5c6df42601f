import { uniformAt } from "./hash-draw.js";

/** How long activities take, in milliseconds. */
export type DurationDistribution =
  | { readonly kind: "constant"; readonly ms: number }
  | { readonly kind: "uniform"; readonly fromMs: number; readonly toMs: number }
  | { readonly kind: "exponential"; readonly meanMs: number };

/** Which activity a duration is drawn for: the same place always draws the same, so that a replay agrees. */
export interface DrawPlace {
  readonly seed: number;
  readonly instanceId: string;
  readonly iterationNumber: number;
  readonly activityNumber: number;
}

/** The duration of one activity in milliseconds, by inversion of the distribution function. */
export function drawDurationMs(distribution: DurationDistribution, place: DrawPlace): number {
  switch (distribution.kind) {
    case "constant":
      return distribution.ms;
    case "uniform":
      return distribution.fromMs + uniform(place) * (distribution.toMs - distribution.fromMs);
    default:
      return -Math.log(1 - uniform(place)) * distribution.meanMs;
  }
}

/** A number in [0, 1) that looks random, and is a function of the place alone. */
function uniform({ seed, instanceId, iterationNumber, activityNumber }: DrawPlace): number {
  const characters = Array.from({ length: instanceId.length }, (_, at) => instanceId.charCodeAt(at));
  return uniformAt(seed, ...characters, iterationNumber, activityNumber);
}
