import type { HistoryMoment } from "../protocol/history-moments.js";
import { stampsOf, type Stamps } from "./stamps.js";

/** What the time between two moments of one history was spent on, by the backend's clock. */
type HistoryPhase =
  | "earlierExecutions"
  | "firstDispatch"
  | "schedule"
  | "timer"
  | "signal"
  | "subOrchestration"
  | "fanIn"
  | "finish"
  | "open";

/** A part of the critical path. Microseconds by the backend's clock; each begins where the one before it ends. */
export type PathPart =
  | { readonly kind: "phase"; readonly phase: HistoryPhase; readonly fromUs: number; readonly toUs: number }
  /** From TaskScheduled until the result was in the history. */
  | {
      readonly kind: "activity";
      readonly fromUs: number;
      readonly toUs: number;
      /** Absent where the worker does not stamp, and where the activity failed. */
      readonly stamps?: Stamps;
    };

/** A moment of a history, with the stamps in place of an activity's output. */
type StampedMoment = HistoryMoment & { readonly stamps?: Stamps };
export type History = readonly StampedMoment[];
/** Of sub-orchestrations, by their ids. */
export type Histories = ReadonlyMap<string, History>;

/** How deep sub-orchestrations are followed into each other. */
export const DEEPEST_CHILD = 8;

/** An activity whose result is there: `kind`, `fromUs`, `toUs` and `stamps` as on a path. */
export interface AnsweredActivity extends Extract<PathPart, { kind: "activity" }> {
  readonly id: number;
  readonly failed: boolean;
}

type Answered = Extract<StampedMoment, { kind: "answered" }>;
type Asked = Extract<HistoryMoment, { kind: "asked" }>;
type Arrival = Extract<HistoryMoment, { kind: "execution-started" | "answered" | "signalled" }>;

/** One execution of the orchestrator over its history. */
interface Episode {
  readonly startedUs: number;
  /** What it was begun for. */
  readonly arrivals: Arrival[];
}

/** A history by its episodes. */
interface Course {
  readonly episodes: readonly Episode[];
  /** What was asked for, by its id, with the number of the episode that did. */
  readonly asked: ReadonlyMap<number, Asked & { readonly episode: number }>;
  readonly startedUs: number;
  readonly endedUs: number | undefined;
}

/**
 * The critical path of an instance's current execution: from its end back to the episode that ended it, to the answer that
 * this episode began with and that came last, to the episode that had asked for it, and so on to the start. What an
 * orchestrator waits for besides is not on it. The parts add up to the time from ExecutionStarted to the end: a moment that
 * contradicts its predecessor, by the clocks of a backend with several, counts as the same moment.
 *
 * `untilUs` is where the path of one ends that was cut off, by the backend's clock. Empty where the history has no start.
 */
export function criticalPath(
  history: History,
  { children = new Map(), untilUs }: { readonly children?: Histories; readonly untilUs?: number } = {},
): readonly PathPart[] {
  const course = courseOf(history);
  return course ? ordered(backwards(course, { children, untilUs, depth: 0 }), course.startedUs) : [];
}

/** The activities whose result is there: when they were asked for and answered, and their stamps. */
export function* activitiesOf(history: History): Iterable<AnsweredActivity> {
  const asked = new Map<number, number>();
  for (const moment of history) {
    if (moment.kind === "asked" && moment.what === "activity") asked.set(moment.id, moment.atUs);
    if (moment.kind !== "answered" || moment.what !== "activity") continue;
    const fromUs = asked.get(moment.id);
    if (fromUs !== undefined) yield { ...activityPart(fromUs, moment), id: moment.id, failed: moment.failed };
  }
}

/** A history as it was read, its stamps read once. What else activities returned is dropped. */
export function stamped(moments: readonly HistoryMoment[]): History {
  return moments.map((moment) => {
    if (moment.kind !== "answered") return moment;
    const { output, ...answered } = moment;
    const stamps = stampsOf(output);
    return stamps ? { ...answered, stamps } : answered;
  });
}

function courseOf(history: History): Course | undefined {
  const episodes: Episode[] = [];
  const asked = new Map<number, Asked & { readonly episode: number }>();
  let startedUs: number | undefined;
  let endedUs: number | undefined;
  for (const moment of history) {
    switch (moment.kind) {
      case "orchestrator-started":
        episodes.push({ startedUs: moment.atUs, arrivals: [] });
        break;
      case "asked":
        asked.set(moment.id, { ...moment, episode: episodes.length - 1 });
        break;
      case "ended":
        endedUs = moment.atUs;
        break;
      default:
        if (moment.kind === "execution-started") startedUs ??= moment.atUs;
        episodes.at(-1)?.arrivals.push(moment);
    }
  }
  return startedUs === undefined ? undefined : { episodes, asked, startedUs, endedUs };
}

interface Walk {
  readonly children: Histories;
  readonly untilUs: number | undefined;
  readonly depth: number;
}

/** From the end to the start. */
function backwards(course: Course, walk: Walk): PathPart[] {
  const { episodes, asked, startedUs } = course;
  const endUs = walk.untilUs ?? course.endedUs ?? latestOf(course);
  const last = walk.untilUs === undefined && course.endedUs !== undefined ? "finish" : "open";
  const parts: PathPart[] = [];
  let toUs = endUs;
  let phase: HistoryPhase = last;
  let number = episodes.length - 1;
  while (number >= 0) {
    const episode = episodes[number]!;
    parts.push({ kind: "phase", phase, fromUs: episode.startedUs, toUs });
    const cause = causeOf(episode);
    if (number === 0 || cause?.kind === "execution-started") {
      parts.push({ kind: "phase", phase: "firstDispatch", fromUs: startedUs, toUs: episode.startedUs });
      return parts;
    }
    const causeUs = cause?.atUs ?? episode.startedUs;
    parts.push({ kind: "phase", phase: "fanIn", fromUs: causeUs, toUs: episode.startedUs });
    const question = cause?.kind === "answered" ? asked.get(cause.id) : undefined;
    if (cause?.kind === "answered" && question && question.episode < number) {
      parts.push(...waitOf(question, cause, walk));
      phase = "schedule";
      toUs = question.atUs;
      number = question.episode;
    } else {
      phase = "signal";
      toUs = causeUs;
      number -= 1;
    }
  }
  parts.push({ kind: "phase", phase: parts.length === 0 ? "open" : "firstDispatch", fromUs: startedUs, toUs });
  return parts;
}

/** What came last of what an episode began with. */
function causeOf({ startedUs, arrivals }: Episode): Arrival | undefined {
  const before = arrivals.filter(({ atUs }) => atUs <= startedUs);
  const candidates = before.length > 0 ? before : arrivals;
  return candidates.reduce<Arrival | undefined>(
    (latest, arrival) => (latest === undefined || arrival.atUs >= latest.atUs ? arrival : latest),
    undefined,
  );
}

/** Between a question and its answer, from the end to the start. */
function waitOf(question: Asked, answer: Answered, walk: Walk): readonly PathPart[] {
  const [fromUs, toUs] = [question.atUs, answer.atUs];
  switch (question.what) {
    case "activity":
      return [activityPart(fromUs, answer)];
    case "timer":
      return [{ kind: "phase", phase: "timer", fromUs, toUs }];
    default:
      return childParts(question, toUs, walk);
  }
}

/** The path of a sub-orchestration, and its way from and to its parent; only that where its history is not known. */
function childParts({ atUs, instanceId = "" }: Asked, toUs: number, { children, depth }: Walk): readonly PathPart[] {
  const history = depth < DEEPEST_CHILD ? children.get(instanceId) : undefined;
  const course = history && courseOf(history);
  if (!course || course.endedUs === undefined) return [way(atUs, toUs)];
  const own = backwards(course, { children, untilUs: undefined, depth: depth + 1 });
  return [way(course.endedUs, toUs), ...own, way(atUs, course.startedUs)];
}

function way(fromUs: number, toUs: number): PathPart {
  return { kind: "phase", phase: "subOrchestration", fromUs, toUs };
}

function activityPart(fromUs: number, { atUs: toUs, stamps }: Answered): Extract<PathPart, { kind: "activity" }> {
  return { kind: "activity", fromUs, toUs, ...(stamps && { stamps }) };
}

function latestOf({ episodes, asked, startedUs }: Course): number {
  const times = [...episodes.map((episode) => episode.startedUs), ...[...asked.values()].map(({ atUs }) => atUs)];
  return times.reduce((latest, atUs) => Math.max(latest, atUs), startedUs);
}

/** From the start to the end, so that each begins where the one before it ended and none is negative. */
function ordered(backward: readonly PathPart[], startedUs: number): readonly PathPart[] {
  const endUs = Math.max(startedUs, backward[0]?.toUs ?? startedUs);
  let fromUs = startedUs;
  return backward.toReversed().map((part) => {
    const toUs = Math.min(Math.max(fromUs, part.toUs), endUs);
    const placed = { ...part, fromUs, toUs };
    fromUs = toUs;
    return placed;
  });
}
