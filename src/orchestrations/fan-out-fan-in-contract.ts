import { z } from "zod";

/**
 * The fan-out/fan-in workload as it crosses the wire: names, inputs and outputs. Names and fields are a contract with
 * every other implementation of it. Kept apart from the orchestrator, so that reading an output does not load the SDK.
 */
export const FAN_OUT_FAN_IN_ORCHESTRATION = "FanOutFanInOrchestration";
export const FAN_OUT_FAN_IN_ACTIVITY = "FanOutFanInActivity";
/** Over the contract: carries out a part of one fan-out, where an input asks for `subOrchestrations`. */
export const FAN_OUT_PART_ORCHESTRATION = "FanOutFanInPartOrchestration";

/** What every activity answers; the fan-in counts no other answer. */
export const ACTIVITY_OUTPUT = "Hello World";

const atLeastOne = z.int("expected an integer of at least 1").min(1, "expected an integer of at least 1");
const notNegative = z.int("expected an integer of at least 0").min(0, "expected an integer of at least 0");

const milliseconds = z.number("expected milliseconds").min(0, "expected milliseconds");

const duration = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("constant"), ms: milliseconds }),
  z.object({ kind: z.literal("uniform"), fromMs: milliseconds, toMs: milliseconds }),
  z.object({ kind: z.literal("exponential"), meanMs: milliseconds }),
]);

/** Over the contract: what activities cost. */
const activityCost = z.object({
  duration: duration.optional(),
  /** Durations are drawn from it. */
  seed: z.int().default(0),
  /** Bytes by which the input and the output of each activity are larger. */
  inputBytes: notNegative.default(0),
  outputBytes: notNegative.default(0),
  /** The share of executions that throw, and how often an activity that did is tried again. */
  failureRate: z.number().min(0).max(1).default(0),
  retries: notNegative.default(0),
});

/** Both numbers count from 0, and `activityNumber` starts anew in each iteration. */
const activityPlace = z.object({ iterationNumber: notNegative, activityNumber: notNegative }, "expected a JSON object");

const activityInput = activityPlace.extend({
  /** Over the contract, and only there if asked for: see `activityCost`. */
  durationMs: milliseconds.optional(),
  outputBytes: notNegative.optional(),
  failureRate: z.number().optional(),
  padding: z.string().optional(),
  /** Over the contract: the output says when and by whom the activity was executed. */
  trace: z.boolean().optional(),
});

const activityOutput = activityPlace.extend({
  processingTimeMs: notNegative,
  output: z.literal(ACTIVITY_OUTPUT),
  /** Where the input said `trace`: milliseconds since the epoch by the worker's clock, with the microseconds as fraction. */
  startedAt: z.number().optional(),
  finishedAt: z.number().optional(),
  workerId: z.string().optional(),
  /** Of the worker's fanout. */
  version: z.string().optional(),
  padding: z.string().optional(),
});

const orchestrationInput = z.object(
  {
    iterations: atLeastOne.default(10),
    parallelActivities: atLeastOne.default(5),
    /** Over the contract: false leaves `results` out of the output, which grows with every activity. */
    includeResults: z.boolean("expected true or false").default(true),
    activity: activityCost.optional(),
    /** Over the contract: begin a new execution, with an empty history, after so many iterations. */
    continueAsNewEvery: atLeastOne.optional(),
    /** Over the contract: each fan-out starts so many sub-orchestrations, which share its activities. */
    subOrchestrations: atLeastOne.optional(),
    /** Over the contract: the wait between two iterations. Its durations are drawn from the seed. */
    timer: z.object({ duration, seed: z.int().default(0) }).optional(),
    /** Over the contract: the outputs of its activities say when and by whom they were executed. */
    trace: z.boolean("expected true or false").optional(),
    /** What earlier executions of a continued orchestration have done. */
    carried: z
      .object({
        iterationsCompleted: notNegative,
        processingTimeMs: notNegative,
        startedMs: z.number(),
        results: z.array(activityOutput),
        /** Activities that failed and were tried again; there where they may be. */
        retries: notNegative.optional(),
      })
      .optional(),
  },
  "expected a JSON object",
);

const orchestrationOutput = z.object({
  totalActivities: notNegative,
  /** Milliseconds on the backend's clock, from the first episode of the orchestrator to its last. */
  elapsedTimeMs: notNegative,
  /** Mean of the activities' `processingTimeMs`, rounded to a whole millisecond. */
  averageActivityTimeMs: notNegative,
  /** By iteration and activity number; absent where the input said `includeResults: false`. */
  results: z.array(activityOutput).optional(),
});

/** Activities `firstActivity` to `firstActivity + activities - 1` of an iteration. */
const fanOutPart = z.object({ iterationNumber: notNegative, firstActivity: notNegative, activities: atLeastOne });

const partInput = fanOutPart.extend({
  includeResults: z.boolean(),
  activity: activityCost.optional(),
  trace: z.boolean().optional(),
});

const partOutput = fanOutPart.extend({
  /** The sum of its activities. */
  processingTimeMs: notNegative,
  /** Activities that failed and were tried again. */
  retries: notNegative,
  results: z.array(activityOutput).optional(),
});

const progress = z.object({
  iterationsCompleted: notNegative,
  iterations: atLeastOne,
  activitiesCompleted: notNegative,
});

/** What a caller may send: every field has a default. */
export type FanOutFanInRequest = z.input<typeof orchestrationInput>;
export type FanOutFanInInput = z.output<typeof orchestrationInput>;
export type ActivityCost = z.output<typeof activityCost>;
export type ActivityCostRequest = z.input<typeof activityCost>;
export type FanOutFanInOutput = z.output<typeof orchestrationOutput>;
export type FanOutFanInActivityInput = z.output<typeof activityInput>;
export type FanOutFanInActivityOutput = z.output<typeof activityOutput>;
/** The id of a part of a fan-out: that of its parent, and where it belongs. The same in each execution of the parent. */
export function partIdOf(parentId: string, iterationNumber: number, part: number): string {
  return `${parentId}:${iterationNumber}.${part}`;
}

export type FanOutPart = z.output<typeof fanOutPart>;
export type FanOutPartInput = z.output<typeof partInput>;
export type FanOutPartOutput = z.output<typeof partOutput>;
/** The orchestration's custom status, set after each iteration. */
export type FanOutFanInProgress = z.output<typeof progress>;

/** The orchestration's input, its keys in any letter case; no input means the defaults. Throws `WorkloadInputError`. */
export function parseFanOutFanInInput(input: unknown): FanOutFanInInput {
  return parse(orchestrationInput, input ?? {}, `${FAN_OUT_FAN_IN_ORCHESTRATION} input`);
}

/** The input of a part of a fan-out. Throws `WorkloadInputError`. */
export function parseFanOutPartInput(input: unknown): FanOutPartInput {
  return parse(partInput, input, `${FAN_OUT_PART_ORCHESTRATION} input`);
}

/** The activity's input, its keys in any letter case. Throws `WorkloadInputError`. */
export function parseFanOutFanInActivityInput(input: unknown): FanOutFanInActivityInput {
  return parse(activityInput, input, `${FAN_OUT_FAN_IN_ACTIVITY} input`);
}

/** The output of a completed orchestration, from its JSON text. Throws `WorkloadInputError`, or `SyntaxError`. */
export function parseFanOutFanInOutput(json: string): FanOutFanInOutput {
  return parse(orchestrationOutput, JSON.parse(json), `${FAN_OUT_FAN_IN_ORCHESTRATION} output`);
}

/** The custom status of an orchestration, or undefined where it is not this workload's. Throws `SyntaxError`. */
export function parseFanOutFanInProgress(json: string): FanOutFanInProgress | undefined {
  return progress.safeParse(JSON.parse(json)).data;
}

/** A value that is not of the contract. It fails the orchestration, with a message for whoever sent it. */
class WorkloadInputError extends Error {
  override readonly name = "WorkloadInputError";
}

function parse<T extends z.ZodObject>(schema: T, value: unknown, what: string): z.output<T> {
  const named = withKeysOf(schema, value);
  const result = schema.safeParse(named);
  if (result.success) return result.data;

  const wrong = result.error.issues.map(({ path, message }) => {
    const found = JSON.stringify(path.reduce(property, named)) ?? "nothing";
    return `${path.length === 0 ? "" : `${path.join(".")}: `}${message}, found ${found}`;
  });
  throw new WorkloadInputError(`${what}: ${wrong.join("; ")}`);
}

function withKeysOf(schema: z.ZodObject, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;

  const names = new Map(Object.keys(schema.shape).map((name) => [name.toLowerCase(), name]));
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [names.get(key.toLowerCase()) ?? key, field]));
}

function property(value: unknown, key: PropertyKey): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}
