import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { spawnEmulator } from "../../../support/emulator/emulator-process.js";
import { RawConnection } from "../../../support/emulator/raw-connection.js";

/** Each write to it finds the disk full. */
const FULL = "/dev/full";

test.skipIf(!existsSync(FULL))(
  "an emulator whose log has no room serves on, and stops when it is told to",
  async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "fanout-log-"));
    const logFile = openSync(FULL, "w");
    onTestFinished(() => {
      closeSync(logFile);
      rmSync(folder, { recursive: true });
    });
    const emulator = await spawnEmulator(folder, { logFile });
    onTestFinished(() => void emulator.child.kill("SIGKILL"));
    const connection = new RawConnection(`unix:${path.join(folder, "emulator.sock")}`, "hub");
    await connection.start("one");
    await connection.start("two");
    connection.close();
    emulator.child.kill("SIGTERM");
    expect(await emulator.exited).toEqual({ code: 0, signal: null });
  },
);
