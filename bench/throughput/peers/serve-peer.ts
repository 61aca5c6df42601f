import type { FanInTally, PeerMessage, RunRequest } from "#peer-protocol";
import { executed } from "#peers/activity";
import { NOTHING_SEEN, orchestrationInput, type OrchestrationInput } from "#peers/orchestration";
import type { Workload } from "#workloads";

/** What the process of an engine has to be able to do: its workers and its client in one. */
export interface Peer {
  /** Resolves when the client knows the orchestration's result. */
  orchestrate(input: OrchestrationInput): Promise<FanInTally>;
  /** Before each run: throws away what earlier ones have left. */
  reset?(): Promise<void>;
  /** After each run: stops what would not be idle by itself. */
  rest?(): Promise<void>;
}

/** Takes runs from the process that started this one, one at a time, and leaves with it. */
export function servePeer(peer: Peer): void {
  process.on("disconnect", () => process.exit(0));
  process.on("message", (request: RunRequest) => {
    void run(peer, request).then(send, (error: unknown) =>
      send({ type: "failed", message: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  send({ type: "ready" });
}

async function run(peer: Peer, { run, workload }: RunRequest): Promise<PeerMessage> {
  await peer.reset?.();
  executed.count = 0;
  const startedMs = performance.now();
  const tallies = await orchestrateAll(peer, run, workload);
  const seconds = (performance.now() - startedMs) / 1_000;
  await peer.rest?.();
  const tally = tallies.reduce(
    (sum, { results, faulty }) => ({ results: sum.results + results, faulty: sum.faulty + faulty }),
    NOTHING_SEEN,
  );
  return { type: "done", seconds, tally, executions: executed.count };
}

/** Starts all at once, or as many as may be in flight and another whenever one has ended. */
async function orchestrateAll(peer: Peer, run: number, workload: Workload): Promise<readonly FanInTally[]> {
  const { orchestrations, inFlight = orchestrations } = workload;
  const tallies: FanInTally[] = [];
  let started = 0;
  const lane = async (): Promise<void> => {
    while (started < orchestrations) {
      started += 1;
      tallies.push(await peer.orchestrate(orchestrationInput(`${process.pid}-${run}-${started}`, workload)));
    }
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, orchestrations) }, lane));
  return tallies;
}

function send(message: PeerMessage): void {
  process.send?.(message);
}
