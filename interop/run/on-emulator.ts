import { Child } from "#child";
import type { Language } from "#languages";
import { Place, freePort } from "#place";
import type { Tally } from "#tally";

const CLIENT_PATIENCE_MS = 600_000;

/** Every client against every worker; then each worker once more, behind a restart of the emulator. */
export async function checkPairs(languages: readonly Language[], tally: Tally): Promise<void> {
  for (const host of languages) {
    await using place = new Place();
    const port = await freePort();
    let emulator = await place.emulator(port);
    const worker = await Child.ready(host.worker(port, "all"), /^ready/u);
    try {
      for (const client of languages) {
        await runClient(
          client,
          port,
          `pair-${languages.indexOf(client)}`,
          host.lacks,
          `${client.name} client, ${host.name} worker`,
          tally,
        );
      }
      await emulator.stop("SIGINT");
      emulator = await place.emulator(port);
      const subject = `${host.name} client and worker behind a restart`;
      await runClient(host, port, "restarted", host.lacks, subject, tally);
    } finally {
      await worker.stop("SIGKILL");
      await emulator.stop("SIGINT");
    }
  }
}

/** Orchestrators in one language, activities in another: each worker says what it takes. */
export async function checkParts(languages: readonly Language[], tally: Tally): Promise<void> {
  const able = languages.filter(({ filters }) => filters);
  for (const orchestrators of able) {
    for (const activities of able.filter((other) => other !== orchestrators)) {
      await using place = new Place();
      const port = await freePort();
      const emulator = await place.emulator(port);
      const workers = [
        await Child.ready(orchestrators.worker(port, "orchestrators"), /^ready/u),
        await Child.ready(activities.worker(port, "activities"), /^ready/u),
      ];
      try {
        const subject = `${orchestrators.name} orchestrators, ${activities.name} activities`;
        await runClient(orchestrators, port, "parts", orchestrators.lacks, subject, tally);
      } finally {
        for (const worker of workers) await worker.stop("SIGKILL");
        await emulator.stop("SIGINT");
      }
    }
  }
}

async function runClient(
  client: Language,
  port: number,
  runId: string,
  lacking: readonly string[],
  subject: string,
  tally: Tally,
): Promise<void> {
  let failures = 0;
  let checks = 0;
  const { code, output } = await Child.run(client.client(port, runId, lacking), CLIENT_PATIENCE_MS, (line) => {
    const [, outcome, check, reason] = /^(ok|not ok|skip) ([^:]+)(?:: (.*))?$/u.exec(line) ?? [];
    if (check === undefined) return;
    checks += 1;
    failures += outcome === "not ok" ? 1 : 0;
    tally.add(outcome as "ok" | "not ok" | "skip", subject, check, reason);
  });
  if (checks === 0 || (code !== 0 && failures === 0))
    tally.add("not ok", subject, "all checks", `the client ended with ${code}: ${output.slice(-500)}`);
}
