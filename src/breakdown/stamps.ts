import { readJson } from "../format/read-json.js";

/** When and by whom an activity was executed, by its worker's own clock: microseconds since the epoch. */
export interface Stamps {
  readonly startedUs: number;
  readonly finishedUs: number;
  readonly workerId: string;
  /** Of the worker's fanout; absent where it does not say. */
  readonly version?: string;
}

const LONGEST_ID = 200;
/** Whoever writes an output can write anything. */
const VERSION = /^\d+\.\d+\.\d+[\w.+-]{0,40}$/u;

/** The stamps in what an activity returned; undefined where its worker does not stamp. */
export function stampsOf(output: string | undefined): Stamps | undefined {
  // Before a payload of megabytes is parsed.
  if (output === undefined || !output.includes('"workerId"')) return undefined;
  const { startedAt, finishedAt, workerId, version } = fieldsOf(output);
  if (!isTime(startedAt) || !isTime(finishedAt) || finishedAt < startedAt) return undefined;
  if (typeof workerId !== "string" || workerId === "" || workerId.length > LONGEST_ID) return undefined;
  return {
    startedUs: Math.round(startedAt * 1_000),
    finishedUs: Math.round(finishedAt * 1_000),
    workerId,
    ...(typeof version === "string" && VERSION.test(version) && { version }),
  };
}

function fieldsOf(output: string): Readonly<Record<string, unknown>> {
  try {
    const value = readJson(output);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** Milliseconds since the epoch. */
function isTime(value: unknown): value is number {
  return typeof value === "number" && value > 0 && value < Number.MAX_SAFE_INTEGER / 1_000;
}
