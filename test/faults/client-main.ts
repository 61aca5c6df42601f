/**
 * A client in a process of its own, idle until its parent gives it scripts. It works them off side by side, each step
 * asked for until it is acknowledged, and begins behind what its log says that an earlier one was told.
 */
import { setTimeout } from "node:timers/promises";
import { status, type ServiceError } from "@grpc/grpc-js";
import { ClientLogFile, keyOf } from "./client-log.js";
import { CARRIED_OUT, DO, connectTo, type Answer, type HubClient } from "./client-steps.js";
import { HUBS, type Script, type Step } from "./scripts.js";

export interface ClientOrder {
  readonly socket: string;
  readonly logFile: string;
  readonly scripts: readonly Script[];
}

/** How soon a call is made again that failed. */
const AGAIN_MS = 25;

/** What a client is told that cannot know whether its call was carried out, or is told that it was not. */
const UNKNOWN: ReadonlySet<number> = new Set([
  status.UNAVAILABLE,
  status.CANCELLED,
  status.INTERNAL,
  status.UNKNOWN,
  status.RESOURCE_EXHAUSTED,
]);

process.on("disconnect", () => process.exit(0));
process.once("message", (order: ClientOrder) => void work(order));
process.send?.({ ready: true });

async function work({ socket, logFile, scripts }: ClientOrder): Promise<void> {
  const log = new ClientLogFile(logFile);
  const { acknowledged, asked } = log.read();
  const clients = new Map(HUBS.map((hub) => [hub, connectTo(socket, hub)]));
  await Promise.all(
    scripts.map(async (script) => {
      const client = clients.get(script.hub)!;
      for (const [place, step] of script.steps.entries()) {
        const key = keyOf(script, place);
        if (acknowledged.has(key)) continue;
        await setTimeout(step.afterMs);
        const { wrong, told = "" } = await ask(client, script, step, (asked.get(key) ?? 0) > 0, () => log.ask(key));
        if (wrong !== undefined) {
          log.violation(`${key} ${step.do}: ${wrong}`);
          return;
        }
        log.acknowledge(key, told);
        process.send?.({ acknowledged: key });
      }
    }),
  );
  process.exit(0);
}

/** Resolves when the step is acknowledged. */
async function ask(
  client: HubClient,
  script: Script,
  step: Step,
  askedBefore: boolean,
  onAsk: () => void,
): Promise<Answer> {
  for (let first = !askedBefore; ; first = false) {
    onAsk();
    try {
      return (await DO[step.do]({ ...client, script, instanceId: script.instanceId, first }, step as never)) ?? {};
    } catch (error) {
      // The SDK puts an error of its own around some.
      const { code, message } = ((error as Error).cause ?? error) as ServiceError;
      if (!first && code === CARRIED_OUT[step.do]) return {};
      if (!UNKNOWN.has(code)) return { wrong: message };
    }
    await setTimeout(AGAIN_MS);
  }
}
