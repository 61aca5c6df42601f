import { existsSync } from "node:fs";
import { mkdir, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ForwardingBackend } from "../support/hub/forwarding-backend.js";
import { Workplace } from "../support/e2e/workplace.js";

test("a run id that is in use is refused before a start, and --quiet prints only the summary", async () => {
  const place = await Workplace.open();
  const run = "run --workers 1 --quiet --iterations 1 --run-id nightly";
  const first = await place.succeed(run);
  expect(first.stderr).toBe("");
  expect(first.stdout).toMatch(/^Completed 1 orchestration in /u);
  expect(first.stdout).toContain("run id        nightly\n");

  const again = await place.run(run);
  expect(again).toMatchObject({ code: 2, stdout: "" });
  expect(again.stderr).toMatch(/^error: --run-id: .* task hub default .* has instances of nightly already; .*\n$/u);
  expect(again.stderr).toContain("fanout purge --run nightly --terminate");
  const backend = await ForwardingBackend.start(`unix:${place.socket}`, ["QueryInstances"]);
  onTestFinished(() => backend.close());
  const elsewhere = await place.run(run, "--connection-string", backend.connectionString("default"));
  expect(elsewhere).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("instances of nightly already") as string,
  });
  expect(backend.calls["StartInstance"]).toBeUndefined();
  expect(await place.runningEmulator()).toMatchObject({ instances: 1 });
});

test("unwritable files, and one file for two flags, are refused before anything starts", async () => {
  const place = await Workplace.open();
  await mkdir(join(place.folder, "folder"));
  await symlink(place.folder, join(place.folder, "link"));
  for (const [flags, message] of [
    ["--json r --html r", "--json and --html: expected a file for each, found r for both"],
    ["--csv folder/../r --text link/r", "expected a file for each"],
    ["--html folder", "--html: expected a file, found the folder folder"],
    ["--json new/", "--json: expected a file, found the folder new/"],
    ["--junit missing/r.xml", "--junit: expected a file that can be written, found missing/r.xml: ENOENT"],
    ["--json /proc/r.json", "--json: expected a file that can be written, found /proc/r.json: "],
    [`--json ${"x".repeat(250)}`, "ENAMETOOLONG"],
  ] as const) {
    const { code, stdout, stderr } = await place.run(`run ${flags}`);
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining(message) as string,
    });
  }
  expect((await readdir(place.folder)).toSorted()).toEqual(["folder", "link"]);
  expect(existsSync(place.stateFolder)).toBe(false);
  const device = await place.succeed("run --dry-run --json /dev/null --html /dev/null");
  expect(device.stdout).toContain("nothing is started");
});
