import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LogSync } from "../../../../src/emulator/store/log-sync.js";

let folder: string;
let file: string;
let log: LogSync;
/** What the disk was asked for, in order. */
let calls: string[];
/** How long each sync takes, and the time that it is. */
let takesMs: number;
let nowMs: number;
let failure: Error | undefined;
const clock = { steadyMs: () => nowMs };
/** Ends the sync that runs beside the main thread. */
let endSync: () => void;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fanout-log-"));
  file = path.join(folder, "log");
  writeFileSync(file, "what is there");
  calls = [];
  takesMs = 0.1;
  nowMs = 0;
  failure = undefined;
  log = new LogSync(file, clock, {
    fdatasyncSync: () => {
      calls.push("here");
      nowMs += takesMs;
      if (failure !== undefined) throw failure;
    },
    fdatasync: (_descriptor, done) => {
      calls.push("aside");
      endSync = () => {
        nowMs += takesMs;
        done(failure ?? null);
      };
    },
  });
});

afterEach(() => {
  log.close();
  rmSync(folder, { recursive: true });
});

/** Syncs one after the other; returns where each of them was made. */
function sync(times: number): string[] {
  calls = [];
  for (let n = 0; n < times; n += 1) {
    let done = 0;
    log.sync((error) => {
      expect(error).toBeUndefined();
      done += 1;
    });
    if (calls.at(-1) === "aside") {
      expect(done).toBe(0);
      endSync();
    }
    expect(done).toBe(1);
  }
  return calls;
}

describe("where it syncs", () => {
  test("on the main thread while the disk is quick", () => {
    expect(new Set(sync(1_000))).toEqual(new Set(["here"]));
  });

  test("beside it from the first syncs on that are slow, but for one in a second", () => {
    takesMs = 5;
    const places = sync(1_000);
    expect(places.slice(2, 50)).toEqual(Array<string>(48).fill("aside"));
    const here = places.filter((place) => place === "here").length;
    expect(here).toBeGreaterThan(3);
    expect(here).toBeLessThan(8);
  });

  test("never on the main thread while they take so long that all else would stand still", () => {
    takesMs = 500;
    sync(2);
    expect(new Set(sync(100))).toEqual(new Set(["aside"]));
    takesMs = 0.1;
    sync(40);
    for (let second = 0; second < 30; second += 1) {
      nowMs += 1_000;
      sync(1);
    }
    expect(new Set(sync(100))).toEqual(new Set(["here"]));
  });

  test("on the main thread again when the disk has become quick", () => {
    takesMs = 5;
    sync(10);
    takesMs = 0.1;
    expect(sync(1)).toEqual(["aside"]);
    for (let second = 0; second < 20; second += 1) {
      nowMs += 1_000;
      sync(1);
    }
    expect(new Set(sync(100))).toEqual(new Set(["here"]));
  });

  test("on the main thread still after one slow sync among many", () => {
    sync(100);
    takesMs = 3;
    sync(1);
    takesMs = 0.1;
    expect(new Set(sync(100))).toEqual(new Set(["here"]));
  });
});

describe("an error of the disk", () => {
  test.each([
    ["on the main thread", 0.1],
    ["beside it", 5],
  ])("is told, %s", (_, ms) => {
    takesMs = ms;
    sync(10);
    failure = new Error("EIO: i/o error, fdatasync");
    const errors: unknown[] = [];
    log.sync((error) => errors.push(error));
    if (errors.length === 0) endSync();

    expect(errors).toEqual([failure]);
  });

  test("is thrown by a sync that nobody waits beside", () => {
    failure = new Error("EIO: i/o error, fdatasync");
    expect(() => {
      log.syncNow();
    }).toThrow(failure);
  });
});

test("writing a log again leaves it as it is, and syncs it", () => {
  const before = Buffer.alloc(2_500_000, "log ");
  writeFileSync(file, before);
  log.rewrite();
  expect(readFileSync(file).equals(before)).toBe(true);
  expect(calls).toEqual(["here"]);
});

test("closing it leaves a sync that is under way to its end", () => {
  takesMs = 5;
  sync(10);
  let done = 0;
  log.sync(() => (done += 1));
  log.close();
  endSync();
  expect(done).toBe(1);
  log = new LogSync(file, clock);
});

test("a file that is not there is an error", () => {
  expect(() => new LogSync(path.join(folder, "none"), clock)).toThrow(/ENOENT/);
});
