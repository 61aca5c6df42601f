import { cp, readFile, symlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { FANOUT_VERSION } from "../../src/version.js";
import { freePort } from "../support/backend/free-port.js";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { Workplace } from "../support/e2e/workplace.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

test("a run whose workers are of two versions of fanout says so, and is suspect", async () => {
  const place = await Workplace.open();
  const port = await freePort();
  const connection = `Endpoint=http://127.0.0.1:${port};Authentication=None;TaskHub=default`;
  const emulator = place.start(`emulator --port ${port} --ephemeral`);
  await emulator.says(/listening/iu);
  const worker = ["worker", "--no-http", "--connection-string", connection];
  const other = await copyOf("999.9.9", join(place.root, "other"));
  const workers = [
    place.start("worker --no-http --connection-string", connection),
    place.startProgram(process.execPath, [other, ...worker]),
  ];
  await Promise.all(workers.map((each) => each.says(/Connected to/u)));

  const load = "--parallel-orchestrations 30 --iterations 5 --parallel-activities 5 --trace-sample 100%";
  const { stdout } = await place.succeed(`run --json --allow-invalid ${load} --connection-string`, connection);
  const result = parseRunResult(stdout);
  expect(result.workers).toHaveLength(2);
  expect(result.workers).toEqual(
    expect.arrayContaining(
      [FANOUT_VERSION, "999.9.9"].map((version): unknown =>
        expect.objectContaining({ version, host: hostname(), activities: expect.any(Number) }),
      ),
    ),
  );
  expect(result.verdict.status).not.toBe("valid");
  expect(result.verdict.reasons).toContainEqual(
    expect.objectContaining({
      severity: "suspect",
      name: "worker-versions",
      text: `workers of different versions of fanout took part: ${FANOUT_VERSION} (1), 999.9.9 (1)`,
    }),
  );
});

/** The program as built, as if it were of that version. Returns its entry. */
async function copyOf(version: string, folder: string): Promise<string> {
  for (const part of ["bin", "lib", "schema"]) await cp(join(ROOT, part), join(folder, part), { recursive: true });
  const manifest = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as object;
  await writeFile(join(folder, "package.json"), JSON.stringify({ ...manifest, version }));
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return join(folder, "bin", "fanout.js");
}
