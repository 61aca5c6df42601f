import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openDatabase } from "../../../../src/emulator/store/sqlite/open-database.js";

test("on macOS, a sync of the log and of a checkpoint reaches the disk", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "fanout-sync-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { db, log } = await openDatabase(path.join(folder, "emulator.db"), {});
  onTestFinished(() => {
    log?.close();
    db.close();
  });
  expect(db.prepare("PRAGMA fullfsync").get()).toEqual({ fullfsync: 1 });
  expect(db.prepare("PRAGMA checkpoint_fullfsync").get()).toEqual({ checkpoint_fullfsync: 1 });
});
