import { z } from "zod";
import { formatCount } from "../format/count.js";

/**
 * The bodies of the orchestration API: one schema for each is what requests are checked against, what the types come
 * from, and what the OpenAPI document shows.
 */

const MAX_ORCHESTRATIONS = 10_000;
/** Of one orchestration: each adds to its history and its output, which a worker and a reader hold whole. */
const MAX_ACTIVITIES = 20_000;
const MAX_STATUS_IDS = 1_000;
export const MAX_BODY_BYTES = 1_048_576;

function count(most: number, byDefault: number): z.ZodDefault<z.ZodInt> {
  const expected = `expected an integer from 1 to ${most}`;
  return z.int(expected).min(1, expected).max(most, expected).default(byDefault);
}

export const StartRequest = z
  .strictObject({
    iterations: count(MAX_ACTIVITIES, 10).describe("Fan-outs in each orchestration, one after the other."),
    parallelActivities: count(MAX_ACTIVITIES, 5).describe("Activities in each fan-out."),
    parallelOrchestrations: count(MAX_ORCHESTRATIONS, 1).describe("Orchestrations, started at once."),
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
  .describe("All of them are accepted by the backend.");

const instanceId = z.string("expected an instance id, which is a string").min(1, "expected an instance id, found none");

export const InstanceParams = z.object({ id: instanceId });

/** Checked by nobody: it is what `toISOString` gives. */
const time = z.string().meta({ format: "date-time", description: "ISO 8601, in UTC." });

export const Instance = z
  .object({
    id: z.string(),
    status: z.enum(["Pending", "Running", "Completed", "Failed", "Terminated", "Suspended", "Canceled"]),
    created: time,
    lastUpdated: time,
    output: z.string().nullable().describe("The output's JSON text; null while there is none."),
  })
  .describe("The instance as the backend tells it.");

export type Instance = z.output<typeof Instance>;

export const StatusRequest = z
  .array(instanceId, "expected a JSON array of instance ids")
  .max(MAX_STATUS_IDS, `expected at most ${MAX_STATUS_IDS} ids`);

export const StatusAnswer = z
  .object({
    totalRequested: z.int().min(0),
    foundInstances: z.int().min(0),
    instances: z.array(Instance).describe("In the order of the request, without those that do not exist."),
  })
  .describe("Those of the instances that exist.");

export const ServiceStatus = z.object({
  status: z.literal("Running"),
  service: z.literal("Orchestration Service"),
  time: time,
});

export const Health = z.object({ status: z.literal("Healthy") }).describe("It is alive.");

export const Ready = z.object({ status: z.literal("Ready") }).describe("The backend answers.");

export const ErrorBody = z.object({
  error: z.string().describe("What the status code is called."),
  code: z.string().describe("What went wrong, for programs, such as backend-unreachable; docs/errors.md has all."),
  message: z.string().describe("What was expected, and what was found."),
  hint: z.string().optional().describe("What to do next."),
  field: z.string().optional().describe("The part of the request that is wrong."),
  count: z.int().min(0).optional().describe("Where starts failed midway: how many orchestrations were started."),
  instanceIds: z.array(z.string()).optional().describe("Where starts failed midway: those that were started."),
});

export type ErrorBody = z.output<typeof ErrorBody>;
