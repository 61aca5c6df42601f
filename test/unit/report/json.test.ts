import { lstat, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FanoutError, UsageError } from "../../../src/errors.js";
import { checkFile, resultJson, writeFileWhole } from "../../../src/report/json.js";
import { sampleResult } from "../../support/report/sample-result.js";

describe("a result file", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "result-"));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test("replaces an older one and leaves nothing else behind", async () => {
    const file = join(folder, "result.json");
    await writeFile(file, "old");
    await checkFile("--json", file);
    await writeFileWhole("--json", file, resultJson(sampleResult));
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual(sampleResult);
    expect(await readdir(folder)).toEqual(["result.json"]);
  });

  test("behind a link is replaced, and the link stays", async () => {
    const file = join(folder, "result.json");
    await writeFile(file, "old");
    await symlink(file, join(folder, "latest.json"));
    await writeFileWhole("--json", join(folder, "latest.json"), resultJson(sampleResult));
    expect((await lstat(join(folder, "latest.json"))).isSymbolicLink()).toBe(true);
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual(sampleResult);
  });

  test("that is a device is written to, not replaced", async () => {
    await checkFile("--json", "/dev/null");
    await writeFileWhole("--json", "/dev/null", resultJson(sampleResult));
    expect((await lstat("/dev/null")).isCharacterDevice()).toBe(true);
  });

  test("that is a folder is refused before the run", async () => {
    await mkdir(join(folder, "result.json"));
    await expect(checkFile("--json", join(folder, "result.json"))).rejects.toThrow(UsageError);
  });

  test("in a folder that does not exist is refused before the run", async () => {
    await expect(checkFile("--json", join(folder, "missing", "result.json"))).rejects.toThrow(
      /^--json: expected a file that can be written, found .*ENOENT/u,
    );
  });

  test("that cannot be written is a failure that names it", async () => {
    const writing = writeFileWhole("--json", join(folder, "missing", "result.json"), resultJson(sampleResult));
    await expect(writing).rejects.toThrow(FanoutError);
    await expect(writing).rejects.toThrow(/^--json: .*missing.result\.json/u);
  });
});
