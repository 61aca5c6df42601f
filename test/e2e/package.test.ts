import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { z } from "zod";
import { Workplace } from "../support/e2e/workplace.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const packed = z.tuple([z.object({ files: z.array(z.object({ path: z.string() })) })]);
const manifest = z.object({ bin: z.record(z.string(), z.string()), engines: z.object({ node: z.string() }) });

test("the package holds only the files that run time needs", async () => {
  const place = await Workplace.open();
  // Without scripts: `prepare` would build into the folder that other tests are running from.
  const args = ["pack", ROOT, "--json", "--ignore-scripts", "--offline", "--pack-destination", place.folder];
  const { code, stdout, stderr } = await place.startProgram("npm", args).ended;
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const [{ files }] = packed.parse(JSON.parse(stdout));
  const paths = files.map(({ path }) => path);
  expect(paths.filter((path) => !path.startsWith("lib/")).sort()).toEqual([
    "LICENSE",
    "README.md",
    "bin/fanout.js",
    "package.json",
    "schema/capacity.v1.schema.json",
    "schema/compared-sides.v1.schema.json",
    "schema/comparison.v1.schema.json",
    "schema/plan.v1.schema.json",
    "schema/run-result.v1.schema.json",
    "schema/soak-evidence.v1.schema.json",
    "schema/soak.v1.schema.json",
    "schema/timelines.v1.schema.json",
  ]);
  expect(paths.filter((path) => path.startsWith("lib/") && !path.endsWith(".js"))).toEqual([]);
  // What the package starts has to be in it: the commands, and the processes that they start.
  expect(paths).toEqual(expect.arrayContaining(["lib/cli.js", "lib/emulator/process/main.js", "lib/worker/main.js"]));
  const { bin, engines } = manifest.parse(JSON.parse(await readFile(`${ROOT}/package.json`, "utf8")));
  expect(bin).toEqual({ fanout: "bin/fanout.js" });
  expect(engines.node).toBe(">=22.13");
});
