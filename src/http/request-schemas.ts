import { z } from "zod";
import { formatCount } from "../format/count.js";

/**
 * The bodies of the orchestration API. One schema for each checks the requests, gives the type and fills the OpenAPI
 * document.
 */

const MAX_ORCHESTRATIONS = 10_000;
/**
 * Each activity adds to the history and the output of its orchestration. A worker and a reader hold these in memory.
 */
const MAX_ACTIVITIES = 20_000;
const MAX_STATUS_IDS = 1_000;
export const MAX_BODY_BYTES = 1_048_576;

function count(most: number, byDefault: number): z.ZodDefault<z.ZodInt> {
  const expected = `expected an integer from 1 to ${most}`;
  return z.int(expected).min(1, expected).max(most, expected).default(byDefault);
}

export const StartRequest = z
  .strictObject({
    iterations: count(MAX_ACTIVITIES, 10).describe(
      "The number of fan-outs in each orchestration. They run one after the other.",
    ),
    parallelActivities: count(MAX_ACTIVITIES, 5).describe("The number of activities in each fan-out."),
    parallelOrchestrations: count(MAX_ORCHESTRATIONS, 1).describe(
      "The number of orchestrations. All of them start at once.",
    ),
  })
  .superRefine(({ iterations, parallelActivities }, context) => {
    const activities = iterations * parallelActivities;
    if (activities <= MAX_ACTIVITIES) return;
    const message = `expected iterations x parallelActivities of at most ${MAX_ACTIVITIES}, found ${activities}`;
    context.addIssue({ code: "custom", path: ["parallelActivities"], message });
  })
  .describe(
    "Keys in any letter case. No body means the defaults. " +
      `iterations x parallelActivities is at most ${formatCount(MAX_ACTIVITIES)}.`,
  );

export type StartRequest = z.output<typeof StartRequest>;

export const StartAnswer = z
  .object({ count: z.int().min(1), instanceIds: z.array(z.string()) })
  .describe("The backend has accepted all of them.");

const instanceId = z.string("expected an instance id, which is a string").min(1, "expected an instance id, found none");

export const InstanceParams = z.object({ id: instanceId });

/** `toISOString` produces it, so nothing validates it. */
const time = z.string().meta({ format: "date-time", description: "ISO 8601, in UTC." });

export const Instance = z
  .object({
    id: z.string(),
    status: z.enum(["Pending", "Running", "Completed", "Failed", "Terminated", "Suspended", "Canceled"]),
    created: time,
    lastUpdated: time,
    output: z.string().nullable().describe("The output as JSON text; null if there is none yet."),
  })
  .describe("The instance as the backend reports it.");

export type Instance = z.output<typeof Instance>;

export const StatusRequest = z
  .array(instanceId, "expected a JSON array of instance ids")
  .max(MAX_STATUS_IDS, `expected at most ${MAX_STATUS_IDS} ids`);

export const StatusAnswer = z
  .object({
    totalRequested: z.int().min(0),
    foundInstances: z.int().min(0),
    instances: z.array(Instance).describe("The instances that exist, in the order of the request."),
  })
  .describe("The requested instances that exist.");

export const ServiceStatus = z.object({
  status: z.literal("Running"),
  service: z.literal("Orchestration Service"),
  time: time,
});

export const Health = z.object({ status: z.literal("Healthy") }).describe("The server is alive.");

export const Ready = z.object({ status: z.literal("Ready") }).describe("The backend answers.");

export const ErrorBody = z.object({
  error: z.string().describe("The name of the status code."),
  code: z
    .string()
    .describe("The kind of error, for programs, such as backend-unreachable. docs/errors.md lists all codes."),
  message: z.string().describe("What was expected, and what was found."),
  hint: z.string().optional().describe("What to do next."),
  field: z.string().optional().describe("The part of the request that is wrong."),
  count: z.int().min(0).optional().describe("If starts failed midway: the number of orchestrations that were started."),
  instanceIds: z
    .array(z.string())
    .optional()
    .describe("If starts failed midway: the ids of the orchestrations that were started."),
});

export type ErrorBody = z.output<typeof ErrorBody>;
