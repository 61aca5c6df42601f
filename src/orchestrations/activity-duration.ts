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
  let hash = mix(seed | 0);
  for (let at = 0; at < instanceId.length; at += 1) {
    hash = mix(hash ^ instanceId.charCodeAt(at));
  }
  hash = mix(mix(hash ^ iterationNumber) ^ activityNumber);
  return (hash >>> 0) / 2 ** 32;
}

/** The 32-bit finalizer of MurmurHash3 (Austin Appleby, public domain), after a step that keeps 0 from staying 0. */
function mix(value: number): number {
  let hash = (value + 0x9e3779b9) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
