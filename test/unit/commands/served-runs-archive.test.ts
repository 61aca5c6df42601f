import { expect, test } from "vitest";
import { resolveConnection } from "../../../src/backend/connection-string.js";
import { archiveNameOf } from "../../../src/commands/served-runs-archive.js";

function nameOf(flag: string, withKey = false, env: NodeJS.ProcessEnv = {}): string {
  return archiveNameOf({ connection: resolveConnection({ flag, env }), withKey });
}

const A = "Endpoint=http://127.0.0.1:4001;Authentication=None;TaskHub=a";

test("servers of one backend, task hub and kind of door share an archive", () => {
  expect(nameOf(A)).toMatch(/^[0-9a-f]{16}$/u);
  expect(nameOf("TaskHub=a;Authentication=None;Endpoint=http://127.0.0.1:4001/")).toBe(nameOf(A));
  expect(nameOf(A, false, { HTTP_PROXY: "http://user:secret@127.0.0.1:1" })).toBe(nameOf(A));
});

test("all others have their own", () => {
  const names = [
    nameOf(A),
    nameOf(A, true),
    nameOf(A.replace("TaskHub=a", "TaskHub=b")),
    nameOf(A.replace("4001", "4002")),
    nameOf("UseDevelopmentStorage=true"),
  ];
  expect(new Set(names).size).toBe(names.length);
});
