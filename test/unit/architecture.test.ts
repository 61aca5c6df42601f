import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { circles, roomOf, ROOMS } from "../support/rooms.js";
import { asMermaid, asText, pictureOf } from "../support/rooms-picture.js";
import { FILES, IMPORTS, loadedBy, type Import } from "../support/source-imports.js";

/** Why the import breaks a rule; undefined if it does not. */
function breach({ file, specifier, target }: Import): string | undefined {
  if (target === undefined) return undefined;

  const room = roomOf(file);
  const lower = roomOf(target);
  if (room === undefined || lower === undefined)
    return `src/${file} imports "${specifier}": ${room === undefined ? file : target} is in no room of test/support/rooms.ts`;

  const allowed = ROOMS[room]!;
  return room === lower || allowed.includes(lower)
    ? undefined
    : `src/${file} imports "${specifier}": ${room} may import ${allowed.join(", ") || "nothing of ours"}`;
}

test("each room imports only the rooms that the design lets it import", () => {
  expect(IMPORTS.map(breach).filter((line) => line !== undefined)).toEqual([]);
});

test("imports lead downwards: the rooms have no circle, and neither have the files, types included", () => {
  expect(circles(Object.entries(ROOMS).flatMap(([from, rooms]) => rooms.map((to) => [from, to])))).toEqual([]);
  const files = IMPORTS.flatMap(({ file, target }) => (target === undefined ? [] : [[file, target] as const]));
  expect(circles(files)).toEqual([]);
});

test("`npm run rooms` prints each room once, above all that it imports", () => {
  const picture = pictureOf(IMPORTS);
  expect(picture.map(({ room }) => room).sort()).toEqual(Object.keys(ROOMS).sort());
  expect(picture.flatMap(({ upward }) => upward)).toEqual([]);
  expect(asText(picture).split("\n")).toHaveLength(picture.length);
  expect(asMermaid(picture)).toContain("commands_ --> plan_");
});

test("a circle and a breach are found and named", () => {
  expect(
    circles([
      ["a", "b"],
      ["b", "c"],
      ["c", "b"],
    ]),
  ).toEqual(["b -> c -> b"]);
  expect(
    breach({
      file: "stats/recorder.ts",
      specifier: "../load/generator.js",
      target: "load/generator.ts",
      loads: "at-once",
    }),
  ).toMatch(/^src\/stats\/recorder\.ts imports "\.\.\/load\/generator\.js": stats\/ may import /u);
  expect(breach({ file: "new-room/a.ts", specifier: "./b.js", target: "new-room/b.ts", loads: "at-once" })).toContain(
    "is in no room",
  );
});

test("each import is resolved to a file, and each room has one", () => {
  expect(IMPORTS.length).toBeGreaterThan(FILES.length);
  expect(IMPORTS.filter(({ target }) => target !== undefined && !FILES.includes(target))).toEqual([]);
  expect(Object.keys(ROOMS).filter((room) => !FILES.some((file) => roomOf(file) === room))).toEqual([]);
});

test("in the emulator only the room of the clock asks the machine for the time, or sets a timer", () => {
  const emulator = FILES.filter((file) => file.startsWith("emulator/"));
  const timed = emulator.filter((file) => MACHINE_CLOCK.test(codeOf(file)));
  expect(timed.map((file) => roomOf(file))).toEqual(["emulator/clock/"]);
  expect(MACHINE_CLOCK.test("new Date(clock.nowUs() / 1_000); setImmediate(stop);")).toBe(false);
});

/** `setImmediate` is none of them: it is the next turn of the event loop, and no time has to pass. */
const MACHINE_CLOCK =
  /\b(?:performance|Date\.now|setTimeout|setInterval|hrtime)\b|new Date\(\)|"(?:node:)?timers(?:\/promises)?"/u;

function codeOf(file: string): string {
  const source = readFileSync(new URL(`../../src/${file}`, import.meta.url), "utf8");
  return source.replaceAll(/\/\*.*?\*\/|\/\/[^\n]*/gsu, "");
}

/** Whether the name, or the end of a path, is that of a file. */
function isFile(name: string): boolean {
  return (
    existsSync(new URL(`../../${name}`, import.meta.url)) ||
    FILES.some((file) => file === name || file.endsWith(`/${name}`))
  );
}

test("docs/architecture.md names files that are there", () => {
  const page = readFileSync(new URL("../../docs/architecture.md", import.meta.url), "utf8");
  const named = [...page.matchAll(/`(?:src\/)?([\w-]+(?:\/[\w-]+)*\.ts)`/gu)].map(([, file = ""]) => file);
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter((name) => !isFile(name))).toEqual([]);
});

test("the modules of a command load when it runs: until then, commander is the only package", () => {
  const { files, packages } = loadedBy("cli.ts");
  expect(packages).toEqual(["commander"]);
  const folders = files.filter((file) => file.includes("/")).map((file) => file.split("/")[0]);
  expect(new Set(folders)).toEqual(new Set(["cli", "commands", "format"]));
});

test("`fanout emulator status` and `stop` do not load the emulator", () => {
  const { files } = loadedBy("commands/shared-emulator.ts");
  expect(files.filter((file) => file.startsWith("emulator/"))).toEqual([
    "emulator/process/process-lock.ts",
    "emulator/store/sqlite/load.ts",
  ]);
});

test("one file names the messages of the SDK's private path, and one its executor", () => {
  const files = IMPORTS.filter(({ specifier }) => specifier.startsWith("@microsoft/durabletask-js/dist"));
  expect(new Set(files.map(({ file }) => file))).toEqual(
    new Set(["worker/sdk-execution.ts", "protocol/sidecar-stubs.ts"]),
  );
});
