import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const SRC = fileURLToPath(new URL("../src/", import.meta.url));

/** Files that know nothing of the rooms, so that every room may import them. */
const LEAVES = ["errors.ts", "exit-codes.ts", "version.ts"];

/**
 * What each room may import of ours, besides its own files and the leaves: rooms, or single files of rooms. The way
 * goes downwards, so a room is never imported by one that it imports.
 */
const RULES: Readonly<Record<string, readonly string[]>> = {
  "cli.ts": ["commands/", "program.ts"],
  "program.ts": ["cli/", "commands/", "format/"],
  // What commander is told of one subcommand each.
  "cli/": ["commands/"],
  // One file for each subcommand: flags in, one call, exit code out.
  "commands/": [
    "backend/",
    "diagnosis/",
    "emulator/",
    "format/",
    "http/",
    "hub/",
    "load/",
    "report/",
    "sides/",
    "stats/",
    "worker/",
  ],
  // A link has two ends.
  "worker/": ["backend/", "emulator/link-protocol.ts", "format/", "orchestrations/", "wire/"],
  "http/": ["backend/", "format/", "load/", "orchestrations/fan-out-fan-in-contract.ts", "stats/"],
  "diagnosis/": ["backend/", "emulator/state-folder.ts", "format/", "load/hub-survey.ts"],
  // Each side is a process of its own.
  "sides/": ["backend/", "emulator/state-folder.ts", "format/", "report/", "stats/"],
  "hub/": ["backend/", "format/", "load/", "orchestrations/", "stats/"],
  "load/": [
    "backend/",
    "format/",
    "orchestrations/",
    "stats/",
    "worker/managed-worker-messages.ts",
    "worker/replay.ts",
  ],
  "report/": ["format/", "hub/", "stats/"],
  // It starts the emulator and asks its admin service; what the emulator does inside is not its business.
  "backend/": [
    "format/",
    "emulator/admin-protocol.ts",
    "emulator/launch-message.ts",
    "emulator/server-name.ts",
    "emulator/state-folder.ts",
    "wire/",
  ],
  "orchestrations/": ["wire/"],
  "format/": ["stats/load-shape.ts", "stats/run-result.ts", "stats/run-size.ts"],
  "wire/": [],
  "stats/": [],
  "emulator/": ["format/byte-count.ts"],
  "errors.ts": ["exit-codes.ts"],
  "exit-codes.ts": [],
  "version.ts": [],
};

/** Imports of types and of values, re-exports, imports of side effects, and `import()`. */
const IMPORT =
  /^(?:import\b|export\s+(?:type\s+)?[{*])[^;]*?\bfrom\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/gm;

interface Import {
  /** Relative to `src/`. */
  readonly file: string;
  readonly specifier: string;
  /** The file of ours that it means, relative to `src/`. */
  readonly target: string | undefined;
}

const FILES = globSync("**/*.ts", { cwd: SRC }).map((file) => file.split(path.sep).join("/"));
const IMPORTS = FILES.flatMap(importsOf);

function importsOf(file: string): Import[] {
  const source = readFileSync(path.join(SRC, file), "utf8");
  return [...source.matchAll(IMPORT)].map(([, from, effect, dynamic]) => {
    const specifier = from ?? effect ?? dynamic!;
    const target = specifier.startsWith(".")
      ? path.posix.join(path.posix.dirname(file), specifier.replace(/\.js$/, ".ts"))
      : undefined;
    return { file, specifier, target };
  });
}

function roomOf(file: string): string {
  return file.includes("/") ? `${file.split("/")[0]}/` : file;
}

/** Why the import breaks a rule; undefined if it does not. */
function breach({ file, specifier, target }: Import): string | undefined {
  if (target === undefined) {
    return undefined;
  }
  const room = roomOf(file);
  const rule = RULES[room];
  if (rule === undefined) {
    return `src/${file} imports "${specifier}": the room ${room} has no rule in test/architecture.test.ts`;
  }
  const allowed = [room, ...(LEAVES.includes(room) ? [] : LEAVES), ...rule];
  return allowed.some((part) => target === part || (part.endsWith("/") && target.startsWith(part)))
    ? undefined
    : `src/${file} imports "${specifier}": ${room} may import ${rule.length === 0 ? "nothing of ours" : rule.join(", ")}`;
}

test("each room imports only what the design lets it import", () => {
  expect(IMPORTS.map(breach).filter((line) => line !== undefined)).toEqual([]);
});

test("the rules see imports of every kind, and tell file, import and rule", () => {
  expect(IMPORTS.length).toBeGreaterThan(FILES.length);
  expect(IMPORTS.every(({ target }) => target === undefined || FILES.includes(target))).toBe(true);
  expect(breach({ file: "stats/recorder.ts", specifier: "../load/plan.js", target: "load/plan.ts" })).toBe(
    'src/stats/recorder.ts imports "../load/plan.js": stats/ may import nothing of ours',
  );
  expect(breach({ file: "new-room/a.ts", specifier: "./b.js", target: "new-room/b.ts" })).toContain("has no rule");
});

test("the rules name rooms and files that are there, and lead downwards", () => {
  for (const [room, rule] of Object.entries(RULES)) {
    for (const part of [room, ...rule]) {
      expect(FILES.some((file) => file === part || (part.endsWith("/") && file.startsWith(part)))).toBe(true);
    }
    for (const part of rule.filter((part) => part.endsWith("/"))) {
      expect(RULES[part], `${room} and ${part} may import each other`).not.toContain(room);
    }
  }
});

test("one file names the messages of the SDK's private path, and one its executor", () => {
  const files = IMPORTS.filter(({ specifier }) => specifier.startsWith("@microsoft/durabletask-js/dist"));
  expect([...new Set(files.map(({ file }) => file))]).toEqual(["worker/sdk-execution.ts", "wire/sidecar-stubs.ts"]);
});
