/** Restate: `dispatched` calls an activity service for each activity, `steps` runs them inside the orchestration. */
import { RestatePromise, serve, service, type RestateContext } from "@restatedev/restate-sdk";
import { connect } from "@restatedev/restate-sdk-clients";
import { freePort } from "#free-port";
import { performActivity } from "#peers/activity";
import {
  NOTHING_SEEN,
  fanIn,
  fanOut,
  type ActivityInput,
  type ActivityResult,
  type OrchestrationInput,
} from "#peers/orchestration";
import { servePeer } from "#peers/serve-peer";
import type { FanInTally } from "#peer-protocol";

const HOST = "127.0.0.1";
const { RESTATE_INGRESS_URL = "", RESTATE_ADMIN_URL = "" } = process.env;

const activities = service({
  name: "activities",
  handlers: { perform: async (_: RestateContext, input: ActivityInput) => performActivity(input) },
});

type StartActivity = (context: RestateContext, input: ActivityInput) => Promise<ActivityResult>;

const variants: Readonly<Record<string, StartActivity>> = {
  dispatched: (context, input) => (context.serviceClient({ name: "activities" }) as ActivityService).perform(input),
  steps: (context, input) => context.run(`activity ${input.activityNumber}`, () => performActivity(input)),
};
const startActivity = variants[process.argv[2] ?? ""];
if (startActivity === undefined) throw new Error(`Expected ${Object.keys(variants).join(" or ")}`);

const orchestrations = service({
  name: "orchestrations",
  handlers: {
    orchestrate: async (context: RestateContext, input: OrchestrationInput): Promise<FanInTally> => {
      let tally = NOTHING_SEEN;
      for (let iteration = 0; iteration < input.iterations; iteration += 1) {
        const started = fanOut(input, iteration).map((one) => startActivity(context, one));
        tally = fanIn(tally, input, iteration, await RestatePromise.all(started));
      }
      return tally;
    },
  },
});

interface ActivityService {
  perform(input: ActivityInput): Promise<ActivityResult>;
}

interface OrchestrationService {
  orchestrate(input: OrchestrationInput): Promise<FanInTally>;
}

const port = await freePort();
await serve({ services: [activities, orchestrations], port, logger: () => {} });
const answer = await fetch(`${RESTATE_ADMIN_URL}/deployments`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ uri: `http://${HOST}:${port}` }),
});
if (!answer.ok) throw new Error(`Restate did not take the services: ${await answer.text()}`);

const client = connect({ url: RESTATE_INGRESS_URL }).serviceClient({ name: "orchestrations" }) as OrchestrationService;
servePeer({ orchestrate: (input) => client.orchestrate(input) });
