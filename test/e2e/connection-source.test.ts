import { describe, expect, test } from "vitest";
import { Workplace } from "../support/e2e/workplace.js";

const EMULATOR = "UseDevelopmentStorage=true";

describe("a connection string in the environment", () => {
  test.each([
    [{ DTS_CONNECTION_STRING: `${EMULATOR};TaskHub=dts` }, "dts", "DTS_CONNECTION_STRING"],
    [
      {
        DTS_CONNECTION_STRING: "not looked at",
        DURABLE_TASK_SCHEDULER_CONNECTION_STRING: `${EMULATOR};TaskHub=scheduler`,
      },
      "scheduler",
      "DURABLE_TASK_SCHEDULER_CONNECTION_STRING",
    ],
  ])("under a name of Microsoft's samples is used, and a line names the variable: %j", async (variables, hub, name) => {
    const place = await Workplace.open();
    const { code, stdout, stderr } = await place.runWith(variables, "run --workers 1 --iterations 1");
    expect({ code, stdout, stderr }).toMatchObject({ code: 0 });
    expect(stderr).toContain(`the embedded emulator, task hub ${hub} (connection string: ${name})`);
    const worker = place.startWith({ ...place.env, ...variables }, "worker --port 0");
    await worker.says(new RegExp(`^Connected to .*, task hub ${hub} \\(connection string: ${name}\\)$`, "mu"));
    const doctor = await place.runWith(variables, "doctor");
    expect(doctor.stdout).toContain(`the connection string comes from ${name}\n`);
  });
});

describe("a wrong connection string ends every command with 2, and an error that names the fault", () => {
  const garbage = "not a connection string";
  const unknown = "Endpoint=http://localhost;Authentication=Bogus";
  const quoted = '"Endpoint=http://localhost:8080;Authentication=None"';
  test.each([
    ["doctor", garbage, 'a part has no "="'],
    ["doctor --json", unknown, "the kind Bogus of Authentication is not known; expected Authentication=KIND"],
    ["doctor", quoted, "it is in quotes"],
    ["run", quoted, "it is in quotes"],
    ["worker --port 0", unknown, "the kind Bogus of Authentication is not known"],
    ["serve --port 0", garbage, 'a part has no "="'],
    ["status", 'Endpoint=http://h;Authentication=None;TaskHub="my-hub"', "the value of TaskHub is in quotes"],
    ["purge --older-than 7d --yes", garbage, 'a part has no "="'],
  ])("%s: %s", async (line, text, message) => {
    const place = await Workplace.open();
    const { code, stdout, stderr } = await place.runWith({ DURABLE_TASK_CONNECTION_STRING: text }, line);
    const source = "The connection string of DURABLE_TASK_CONNECTION_STRING: ";
    expect(stdout + stderr).toContain(`${source}${message}`);
    expect({ code, stdout, stderr }).toMatchObject({ code: 2 });
    expect(stdout + stderr).not.toContain("my-hub");
  });
});
