import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { Backend } from "../../backend/backend.js";
import { isMissingCall } from "../../backend/missing-call.js";
import { formatCount } from "../../format/count.js";
import { latestRuns, type LatestRuns } from "../../hub/latest-runs.js";
import { instanceIdPrefixOf, runIdOf } from "../../plan/run-id.js";
import { CallSlots } from "../call-slots.js";
import { HttpError } from "../http-error.js";
import { tooManyReads } from "./too-many-reads.js";
import { Patience } from "../patience.js";
import { PROBLEM_PREFIX } from "../problem.js";
import { problemAnswers } from "../run-routes.js";

const PATH = `${PROBLEM_PREFIX}hub/runs`;
/** A hub may keep a million instances, and listing them costs the backend. */
const AT_A_TIME = 2;
const MOST_INSTANCES = 100;
/** Of a search, which reads the instances of other programs too. */
const MOST_READ = 100_000;
const MOST_MS = 8_000;

const HubRuns = z
  .object({
    runs: z.array(
      z.object({
        runId: z.string(),
        createdAt: z.string().describe("Of its first instance."),
        instances: z.int(),
        ended: z.int(),
        byStatus: z.record(z.string(), z.int()),
      }),
    ),
    more: z
      .boolean()
      .describe(
        `Whether the search was cut, after ${formatCount(MOST_READ)} instances or ${MOST_MS / 1_000} s: then runs may be missing, and runs may have more instances.`,
      ),
  })
  .describe("The ten latest runs that the task hub still has, the last one first.");

const HubInstances = z.object({
  instances: z.array(z.object({ instanceId: z.string(), name: z.string(), status: z.string() })),
  more: z.boolean().describe(`Whether there are more than the first ${MOST_INSTANCES}.`),
});

/** The runs on the task hub, whoever has started them. */
export function addHubRuns(app: FastifyInstance, backend: () => Promise<Backend>, security: object): void {
  const slots = new CallSlots(AT_A_TIME, () =>
    tooManyReads(`Other searches of the task hub are under way, and the server makes ${AT_A_TIME} at a time.`),
  );
  const api = app.withTypeProvider<ZodTypeProvider>();
  const common = { tags: ["Task hub"], ...security };
  const problems = problemAnswers([403, 429, 501, 503]);

  // It costs the backend. A page of another site can make a browser GET, but not POST.
  api.post(
    `${PATH}/search`,
    { schema: { ...common, summary: "Find the latest runs on the task hub", response: { 200: HubRuns, ...problems } } },
    async () => {
      using patience = new Patience();
      const { signal } = patience;
      const search = async (): Promise<LatestRuns> => {
        patience.progressed();
        const { client } = await backend();
        const endMs = performance.now() + MOST_MS;
        return latestRuns(client, Date.now(), signal, (instancesRead) => {
          patience.progressed();
          return instancesRead < MOST_READ && performance.now() < endMs;
        });
      };
      const { runs, isCut } = await listed(slots.use(signal, search));
      return { runs: runs.map(({ byStatus, ...run }) => ({ ...run, byStatus: { ...byStatus } })), more: isCut };
    },
  );

  api.get(
    `${PATH}/:runId/instances`,
    {
      schema: {
        ...common,
        summary: "List the first instances of a run on the task hub",
        params: z.object({ runId: z.string() }),
        response: { 200: HubInstances, ...problems },
      },
    },
    async ({ params: { runId } }) => {
      using patience = new Patience();
      const { signal } = patience;
      const query = { instanceIdPrefix: instanceIdPrefixOf(runId), pageSize: MOST_INSTANCES };
      const page = await listed(
        slots.use(signal, async () => {
          patience.progressed();
          return (await backend()).client.queryInstances(query, { signal });
        }),
      );
      const instances = page.instances.filter(({ instanceId }) => runIdOf(instanceId) === runId);
      return {
        instances: instances.map(({ instanceId, name, status }) => ({ instanceId, name, status })),
        more: page.continuationToken !== undefined,
      };
    },
  );
}

async function listed<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    if (!isMissingCall(error)) throw error;
    throw new HttpError(501, "The backend cannot list its instances: it has no QueryInstances (UNIMPLEMENTED).", {
      code: "call-unsupported",
      hint: "GET /api/orchestrations/ID reads one instance by its id.",
      cause: error,
    });
  });
}
