import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  isToken,
  newToken,
  readLoopbackDoor,
  usesLoopback,
  writeLoopbackDoor,
} from "../../../src/protocol/loopback-door.js";

test.each([
  { platform: "linux", chosen: undefined, loopback: false },
  { platform: "darwin", chosen: "", loopback: false },
  { platform: "linux", chosen: "tcp", loopback: true },
  { platform: "win32", chosen: undefined, loopback: true },
  { platform: "win32", chosen: "unix", loopback: false },
] as const)("on $platform with $chosen, loopback is $loopback", ({ platform, chosen, loopback }) => {
  expect(usesLoopback({ FANOUT_EMULATOR_TRANSPORT: chosen }, platform)).toBe(loopback);
});

test("another word is refused", () => {
  expect(() => usesLoopback({ FANOUT_EMULATOR_TRANSPORT: "pipe" })).toThrow(
    'FANOUT_EMULATOR_TRANSPORT: expected unix or tcp, found "pipe"',
  );
});

test("a token is itself alone", () => {
  const [token, other] = [newToken(), newToken()];
  expect(isToken(token, token)).toBe(true);
  for (const found of [other, "", undefined, token.slice(1), `${token}0`, `${token.slice(1)}é`])
    expect(isToken(token, found)).toBe(false);
});

describe("the file", () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "fanout-door-"));
    file = path.join(folder, "emulator.loopback");
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  test("is for its owner alone, and replaces that of an emulator that has died", () => {
    writeLoopbackDoor(file, { port: 1, token: newToken() });
    writeFileSync(`${file}.new`, "of a process that died while it wrote", { mode: 0o666 });
    const door = { port: 4_711, token: newToken() };
    writeLoopbackDoor(file, door);
    expect(readLoopbackDoor(file)).toEqual(door);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["emulator.loopback"]);
  });

  test.each(["", "{", "5", "{}", '{"port":"4","token":"x"}', '{"port":4,"token":"../"}'])(
    "says nothing where it holds %j",
    (text) => {
      writeFileSync(file, text);
      expect(readLoopbackDoor(file)).toBeUndefined();
    },
  );

  test("says nothing where it is not there", () => expect(readLoopbackDoor(file)).toBeUndefined());
});
