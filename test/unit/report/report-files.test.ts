import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FanoutError, UsageError } from "../../../src/errors.js";
import { resultsCsv } from "../../../src/report/csv.js";
import { resultsJunit } from "../../../src/report/junit.js";
import { resultMarkdown } from "../../../src/report/markdown.js";
import { checkResultFiles, writeNumberedFiles, writeReportFiles } from "../../../src/report/report-files.js";
import { REPORT_FORM_NAMES } from "../../../src/report/report-forms.js";
import { sampleResult } from "../../support/report/sample-result.js";

describe("the reports of a run", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "reports-"));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test("are written in each form that is asked for, and no other", async () => {
    const files = {
      markdown: join(folder, "a.md"),
      junit: join(folder, "a.xml"),
      csv: join(folder, "a.csv"),
      html: undefined,
    };
    await checkResultFiles(files);
    await writeReportFiles(files, [sampleResult]);
    expect((await readdir(folder)).sort()).toEqual(["a.csv", "a.md", "a.xml"]);
    expect(await readFile(files.markdown, "utf8")).toBe(resultMarkdown(sampleResult));
    expect(await readFile(files.junit, "utf8")).toBe(resultsJunit([sampleResult]));
    expect(await readFile(files.csv, "utf8")).toBe(resultsCsv([sampleResult]));
  });

  test("are a page for a browser too", async () => {
    await writeReportFiles({ html: join(folder, "a.html") }, [sampleResult]);
    expect(await readFile(join(folder, "a.html"), "utf8")).toMatch(/^<!doctype html>.*<\/html>\s*$/isu);
  });

  test("have no colours in a file", async () => {
    await writeReportFiles({ text: join(folder, "a") }, [sampleResult]);
    const text = await readFile(join(folder, "a"), "utf8");
    expect(text).toMatch(/^Completed 200 orchestrations in 12\.3 s\n.*r0123456789ab\n/su);
    expect(text).not.toContain("\u001B");
  });

  test("of one run of several have its number in their names, where one file does not hold all of them", async () => {
    const files = { text: join(folder, "a"), html: join(folder, "b.c.html"), csv: join(folder, "d.csv") };
    await writeNumberedFiles(files, sampleResult, 2);
    expect((await readdir(folder)).sort()).toEqual(["a-2", "b.c-2.html"]);
  });

  test.each(REPORT_FORM_NAMES)("that cannot be written are refused by their flag: --%s", async (form) => {
    await expect(checkResultFiles({ [form]: folder })).rejects.toThrow(UsageError);
    await expect(checkResultFiles({ [form]: folder })).rejects.toThrow(`--${form}: expected a file, found the folder`);
    await expect(checkResultFiles({ [form]: join(folder, "missing", "a") })).rejects.toThrow(
      `--${form}: expected a file that can be written, found`,
    );
  });

  test("that could not be written after all fail by their flag", async () => {
    const writing = writeReportFiles({ csv: join(folder, "missing", "a.csv") }, [sampleResult]);
    await expect(writing).rejects.toThrow(FanoutError);
    await expect(writing).rejects.toThrow("--csv: the result could not be written to");
  });
});
