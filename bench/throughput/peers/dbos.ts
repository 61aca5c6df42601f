/** DBOS: `steps` runs activities inside the workflow's own process, `child` starts a workflow for each. */
import { DBOS } from "@dbos-inc/dbos-sdk";
import type { FanInTally } from "#peer-protocol";
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

DBOS.setConfig({
  name: "fanout-bench",
  systemDatabaseUrl: process.env["POSTGRES_URL"]!,
  systemDatabasePoolSize: 20,
  logLevel: "error",
  enableOTLP: false,
});

const activity = DBOS.registerWorkflow((input: ActivityInput) => performActivity(input), { name: "activity" });

type FanOut = (inputs: readonly ActivityInput[]) => Promise<readonly ActivityResult[]>;

const variants: Readonly<Record<string, FanOut>> = {
  steps: (inputs) =>
    // As DBOS says: with `Promise.all` a failure would leave steps running behind the workflow's back.
    Promise.allSettled(inputs.map((input) => DBOS.runStep(() => performActivity(input), { name: "activity" }))).then(
      (settled) =>
        settled.map((one) => {
          if (one.status === "rejected") throw one.reason;
          return one.value;
        }),
    ),
  child: async (inputs) => {
    const handles = await Promise.all(inputs.map((input) => DBOS.startWorkflow(activity)(input)));
    return Promise.all(handles.map((handle) => handle.getResult()));
  },
};
const perform = variants[process.argv[2] ?? ""];
if (perform === undefined) throw new Error(`Expected ${Object.keys(variants).join(" or ")}`);

const orchestrate = DBOS.registerWorkflow(
  async (input: OrchestrationInput): Promise<FanInTally> => {
    let tally = NOTHING_SEEN;
    for (let iteration = 0; iteration < input.iterations; iteration += 1)
      tally = fanIn(tally, input, iteration, await perform(fanOut(input, iteration)));

    return tally;
  },
  { name: "orchestrate" },
);

await DBOS.launch();
servePeer({ orchestrate: async (input) => (await DBOS.startWorkflow(orchestrate)(input)).getResult() });
