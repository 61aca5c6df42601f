import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openStateFolder } from "../../../src/protocol/state-folder.js";
import { UsageError } from "../../../src/errors.js";

let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "fanout-state-"));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

const open = (folder: string, env: NodeJS.ProcessEnv = {}): ReturnType<typeof openStateFolder> =>
  openStateFolder({ FANOUT_STATE_DIR: folder, XDG_RUNTIME_DIR: path.join(root, "run"), ...env });
const modeOf = (file: string): number => statSync(file).mode & 0o777;

function longFolder(): string {
  return path.join(root, "x".repeat(90));
}

test("FANOUT_STATE_DIR says where everything is", () => {
  const folder = path.join(root, "state");
  expect(open(folder)).toEqual({
    folder,
    database: path.join(folder, "emulator.db"),
    lock: path.join(folder, "emulator.lock"),
    log: path.join(folder, "emulator.log"),
    socket: path.join(folder, "emulator.sock"),
  });
});

test("a relative FANOUT_STATE_DIR is made absolute: the emulator's working folder is another one", () => {
  const relative = path.relative(process.cwd(), path.join(root, "state"));
  expect(open(relative).folder).toBe(path.join(root, "state"));
});

describe.skipIf(process.platform === "win32")("on a system with users", () => {
  test("a folder that is made is for this user alone, and so are those above it", () => {
    open(path.join(root, "a", "b"));
    expect(modeOf(path.join(root, "a", "b"))).toBe(0o700);
    expect(modeOf(path.join(root, "a"))).toBe(0o700);
  });

  test.each([0o755, 0o777, 0o701, 0o750])("a folder of mode %o is closed to others", (mode) => {
    const folder = path.join(root, "state");
    mkdirSync(folder);
    chmodSync(folder, mode);
    open(folder);
    expect(modeOf(folder)).toBe(0o700);
  });

  test("a folder that holds what it has made is closed to others, as they have only read it", () => {
    const folder = path.join(root, "state");
    mkdirSync(folder);
    writeFileSync(path.join(folder, "emulator.db"), "");
    chmodSync(folder, 0o755);
    open(folder);
    expect(modeOf(folder)).toBe(0o700);
  });

  test.each([0o755, 0o777, 0o1777])(
    "a folder of mode %o with files of others is refused, and left as it is",
    (mode) => {
      writeFileSync(path.join(root, "letter"), "");
      chmodSync(root, mode);
      expect(() => open(root)).toThrow(UsageError);
      expect(() => open(root)).toThrow(/holds other files.* left as it is.*FANOUT_STATE_DIR.*fanout-state/u);
      expect(statSync(root).mode & 0o7777).toBe(mode);
    },
  );

  test("a folder of this user alone is taken with all that is in it", () => {
    writeFileSync(path.join(root, "letter"), "");
    expect(open(root).folder).toBe(root);
    expect(modeOf(root)).toBe(0o700);
  });

  test.each<[string, (folder: string) => void]>([
    ["a file", (folder) => writeFileSync(folder, "")],
    [
      "a link to a folder",
      (folder) => {
        mkdirSync(path.join(root, "target"));
        symlinkSync(path.join(root, "target"), folder);
      },
    ],
    ["a link to nowhere", (folder) => symlinkSync(path.join(root, "nowhere"), folder)],
  ])("%s in its place is refused, and the message names it and FANOUT_STATE_DIR", (_, make) => {
    const folder = path.join(root, "state");
    make(folder);
    expect(() => open(folder)).toThrow(UsageError);
    expect(() => open(folder)).toThrow(folder);
    expect(() => open(folder)).toThrow("FANOUT_STATE_DIR");
  });

  test("a folder that cannot be made is refused by name", () => {
    writeFileSync(path.join(root, "file"), "");
    const folder = path.join(root, "file", "state");
    expect(() => open(folder)).toThrow(UsageError);
    expect(() => open(folder)).toThrow(`'${folder}' cannot be made`);
  });

  // As another user, /etc is a folder of somebody else; as root, it is one of its own and must not be touched.
  test.skipIf(process.getuid?.() === 0)("a folder of another user is refused", () => {
    expect(() => open("/etc")).toThrow("not a folder of this user");
  });

  test.skipIf(process.platform !== "linux")(
    "a folder where none can be made is refused, and not tried for ever",
    () => {
      expect(() => open("/proc/fanout/state")).toThrow("The state folder '/proc/fanout/state' cannot be made");
    },
  );

  test("the folder of the socket is checked as well", () => {
    mkdirSync(path.join(root, "run"), { mode: 0o700 });
    writeFileSync(path.join(root, "run", `fanout-${process.getuid!()}`), "");
    expect(() => open(longFolder())).toThrow(UsageError);
  });

  test("a path too long for a socket falls back to the runtime folder, each folder to a socket of its own", () => {
    const folder = longFolder();
    const { socket, database } = open(folder);
    expect(path.dirname(socket)).toBe(path.join(root, "run", `fanout-${process.getuid!()}`));
    expect(Buffer.byteLength(socket)).toBeLessThanOrEqual(103);
    expect(modeOf(path.dirname(socket))).toBe(0o700);
    expect(path.dirname(database)).toBe(folder);
    expect(open(folder).socket).toBe(socket);
    expect(open(path.join(folder, "other")).socket).not.toBe(socket);
  });

  test("the length of a path is counted in bytes", () => {
    const folder = path.join(root, "ä".repeat(45));
    expect(folder.length).toBeLessThan(103);
    expect(path.dirname(open(folder).socket)).not.toBe(folder);
  });
});

test("without FANOUT_STATE_DIR it is the folder for data of this user's programs", () => {
  // env-paths reads the environment of the process, so this only asks where it would be.
  const home = process.env["XDG_DATA_HOME"];
  process.env["XDG_DATA_HOME"] = root;
  try {
    const folder = openStateFolder({ FANOUT_STATE_DIR: "", XDG_RUNTIME_DIR: root }).folder;
    expect(path.basename(folder)).toMatch(/^fanout$/i);
  } finally {
    if (home === undefined) delete process.env["XDG_DATA_HOME"];
    else process.env["XDG_DATA_HOME"] = home;
  }
});
