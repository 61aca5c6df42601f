import path from "node:path";
import { Child, type Ended } from "#child";
import { CACHE, INTEROP, must } from "#languages";
import { Place, freePort } from "#place";
import type { Tally } from "#tally";

const SIDECAR = path.join(CACHE, "sidecar");

/** Builds durabletask-go's sidecar. Rejects with the reason why it cannot be had. */
export async function buildSidecar(): Promise<void> {
  const folder = path.join(INTEROP, "sidecar");
  await must({
    program: "go",
    args: ["build", "-mod=readonly", "-o", SIDECAR, "github.com/microsoft/durabletask-go"],
    folder,
  });
}

/** fanout's commands on durabletask-go, which has no QueryInstances and purges one instance by a call. */
export async function checkSidecar(tally: Tally): Promise<void> {
  await using place = new Place();
  const port = await freePort();
  const backend = ["--connection-string", `Endpoint=http://localhost:${port};Authentication=None;TaskHub=default`];
  const sidecar = await Child.ready(
    { program: SIDECAR, args: ["-port", String(port), "-db", ""] },
    /server listening/u,
  );
  const worker = await Child.ready(place.fanout("worker", "--port", "0", ...backend), /Connected to/u);

  /** What a command says has to match, and its exit code to be that. */
  const check = (
    name: string,
    { code, output }: Ended,
    wanted: { readonly code: number; readonly says: RegExp },
  ): void => {
    const good = code === wanted.code && wanted.says.test(output);
    const found = `expected ${wanted.code} and ${String(wanted.says)}, found ${code} and ${output.trim().replaceAll("\n", "; ")}`;
    tally.add(good ? "ok" : "not ok", "fanout on durabletask-go", name, good ? undefined : found);
  };
  const fanout = (...args: readonly string[]): Promise<Ended> => place.run(...args, ...backend);

  try {
    check("doctor finds nothing wrong", await fanout("doctor"), { code: 0, says: /ok +task hub/u });
    const load = ["--parallel-orchestrations", "20", "--iterations", "2", "--parallel-activities", "10"];
    const run = await fanout("run", ...load);
    check("a run completes", run, { code: 0, says: /Completed 20 orchestrations[^]* 400 of 400/u });
    const runId = /run id +(\S+)/u.exec(run.output)?.[1] ?? "none";
    check("open load completes", await fanout("run", "--rate", "10/s", "--duration", "2s"), {
      code: 0,
      says: /Completed 20 orchestrations/u,
    });
    check("status of a run", await fanout("status", "--run", runId), { code: 0, says: /20 Completed/u });
    check("status of an instance", await fanout("status", `${runId}-00000-007`), {
      code: 0,
      says: /Completed.*20 activities/u,
    });
    check("status of the hub names what is missing", await fanout("status"), { code: 1, says: /no QueryInstances/u });
    check("purge by age names what is missing", await fanout("purge", "--older-than", "1s", "--yes"), {
      code: 1,
      says: /no QueryInstances/u,
    });
    check("purge of a run", await fanout("purge", "--run", runId, "--yes"), { code: 0, says: /purged 20 instances/u });
    check("nothing is left of it", await fanout("status", "--run", runId), { code: 1, says: /has no instance/u });
    check("the worker drains", await worker.stop("SIGINT"), { code: 0, says: /Drained/u });
  } finally {
    await worker.stop("SIGKILL");
    await sidecar.stop("SIGTERM");
  }
}
