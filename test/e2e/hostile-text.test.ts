import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { OddBackend, grpcFailure } from "../support/backend/odd-backend.js";
import { Workplace } from "../support/e2e/workplace.js";

/** Colours, a title, a link, C1, backspaces, lines, and what turns text around. */
const SAID =
  "red \u001B[31mstop\u001B[0m \u001B]0;title\u0007 \u001B]8;;http://evil.example\u001B\\link \u009B2J" +
  "\u0008\u0008 a\r\nerror: forged\u202Eback\u2069" +
  ` ${"long".repeat(2_000)}`;
const UNFIT = /(?!\n)[\p{Cc}\u202A-\u202E\u2066-\u2069]/u;

describe("text of a backend is cleaned on every output", () => {
  test.each([
    ["run --workers 0 --transport grpc-js", ""],
    ["run --workers 0 --json", ""],
    ["status", ""],
    ["status some-id", ""],
    ["purge --older-than 7d --yes", ""],
    ["doctor", ""],
    ["worker --port 0", "stop"],
    ["worker --port 0 --transport grpc-js", "stop"],
    ["serve --port 0", "not answer yet"],
  ])("%s", async (line, until) => {
    const place = await Workplace.open();
    const backend = await OddBackend.start(() => grpcFailure(status.INTERNAL, SAID));
    const started = place.start(`${line} --connection-string`, backend.connectionString);
    if (until !== "") {
      await started.says(new RegExp(until, "u"));
      started.kill("SIGTERM");
    }
    const { stdout, stderr } = await started.ended;
    const output = stdout + stderr;
    expect(output).toContain("red stop link a error: forgedback");
    expect(UNFIT.exec(output)).toBeNull();
    for (const text of output.split("\n")) expect(text.length).toBeLessThan(1_000);
    expect(output).not.toMatch(/^error: forged/mu);
    expect(output).not.toContain("internal error");
  });
});
