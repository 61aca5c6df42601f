import { Child, type Ended } from "#child";
import { pythonContract } from "#languages";
import { Place, freePort } from "#place";
import type { Tally } from "#tally";

const LOAD = ["--workers", "0", "--parallel-orchestrations", "4", "--iterations", "5", "--parallel-activities", "3"];

/** `fanout run` on a worker that hosts the orchestration and the activity of the contract, and does not stamp. */
export async function checkContract(tally: Tally): Promise<void> {
  await using place = new Place();
  const port = await freePort();
  const emulator = await place.emulator(port);
  const worker = await Child.ready(pythonContract(port), /^ready/u);
  const check = (name: string, { code, output }: Ended, isRight: (output: string) => boolean): void => {
    const good = code === 0 && isRight(output);
    const found = good ? undefined : `found ${code} and ${output.trim().replaceAll("\n", "; ")}`;
    tally.add(good ? "ok" : "not ok", "fanout run on a Python worker", name, found);
  };
  try {
    const text = await place.run("run", ...LOAD);
    check("completes", text, (output) => /Completed 4 orchestrations[^]* 60 of 60/u.test(output));
    check("the report says that the worker does not stamp", text, (output) =>
      /activity is queue, execution and return together: .*does not stamp/u.test(output),
    );
    check("its breakdown has activities in one phase", await place.run("run", "--json", ...LOAD), (output) => {
      const { breakdown, workers } = JSON.parse(output.slice(output.indexOf("\n{") + 1)) as Result;
      const { phases = {}, orchestrations } = breakdown ?? {};
      const stamped = ["queue", "execute", "return", "queueAndReturn"].filter((phase) => phase in phases);
      // Each iteration's last activity is on the path.
      return orchestrations?.traced === 4 && phases["activity"]?.each.count === 20 && stamped.length === 0 && !workers;
    });
  } finally {
    await worker.stop("SIGKILL");
    await emulator.stop("SIGINT");
  }
}

/** What is read of a result. */
interface Result {
  readonly breakdown?: {
    readonly orchestrations: { readonly traced: number };
    readonly phases?: Readonly<Record<string, { readonly each: { readonly count: number } }>>;
  };
  readonly workers?: readonly unknown[];
}
