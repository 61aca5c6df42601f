import { Metadata, status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { isMissingCall } from "../../../src/backend/missing-call.js";

function answer(code: status, details: string): Error {
  return Object.assign(new Error(`${code}: ${details}`), { code, details, metadata: new Metadata() });
}

test.each([
  ["the code for it", answer(status.UNIMPLEMENTED, "The server does not implement the method QueryInstances"), true],
  ["an error of Go's, as durabletask-go answers", answer(status.UNKNOWN, "unimplemented"), true],
  ["another error of Go's", answer(status.UNKNOWN, "no such instance exists"), false],
  ["an error that is no answer", new Error("unimplemented"), false],
])("a call is missing where the answer is %s: %#", (_what, error, missing) => {
  expect(isMissingCall(error)).toBe(missing);
});
