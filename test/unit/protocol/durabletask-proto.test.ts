import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { create, toBinary, type DescField, type DescMessage } from "@bufbuild/protobuf";
import type jspb from "google-protobuf";
import { expect, test } from "vitest";
import { OrchestrationStatus, file_durabletask } from "../../../src/protocol/durabletask_pb.js";
import { pb } from "../../../src/protocol/sidecar-stubs.js";

const ROOT = path.join(import.meta.dirname, "../../..");

test("the generated messages are those of durabletask.proto: `npm run proto` makes them again", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "fanout-proto-"));
  try {
    const template = JSON.stringify({
      version: "v2",
      plugins: [{ local: "protoc-gen-es", out: folder, opt: ["target=ts", "import_extension=js"] }],
    });
    const bin = path.join(ROOT, "node_modules/.bin");
    const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env["PATH"]}` };
    execFileSync(path.join(bin, "buf"), ["generate", "src/protocol", "--template", template], { cwd: ROOT, env });
    const generated = readFileSync(path.join(folder, "durabletask_pb.ts"), "utf8");
    expect(readFileSync(path.join(ROOT, "src/protocol/durabletask_pb.ts"), "utf8")).toBe(generated);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Messages of the protocol that are alike, and are declared as one. */
const ALSO: Readonly<Record<string, readonly string[]>> = {
  AbandonTaskRequest: ["AbandonActivityTaskRequest", "AbandonOrchestrationTaskRequest", "AbandonEntityTaskRequest"],
  CreateInstanceResponse: ["CreateInstanceResponse", "RestartInstanceResponse"],
  ReasonedRequest: ["SuspendRequest", "ResumeRequest", "RewindInstanceRequest"],
  WorkItemFilter: ["OrchestrationFilter", "ActivityFilter"],
};
/** They have no class in the stubs: entries of maps, entity events in general, and the health service. */
const WITHOUT_STUB = ["TagEntry", "EntityEvent", "HealthCheckRequest", "HealthCheckResponse"];
/** Fields that our emulator and our workers have among themselves, and one of an older form of the protocol. */
const WITHOUT_FIELD = ["known_history", "keeps_results", "replays_always", "OrchestrationIdReusePolicy.action"];

interface Stub {
  deserializeBinary(bytes: Uint8Array): Readonly<Record<string, () => unknown>>;
}

const stubs = pb as unknown as Readonly<Record<string, Stub>>;

const FIELDS = file_durabletask.messages
  .filter(({ name }) => !WITHOUT_STUB.includes(name))
  .flatMap((message) =>
    (ALSO[message.name] ?? [message.name]).flatMap((stub) =>
      message.fields
        .filter(({ name }) => !WITHOUT_FIELD.includes(name) && !WITHOUT_FIELD.includes(`${message.name}.${name}`))
        .map((field) => [`${stub}.${field.name}`, message, field, stub] as const),
    ),
  );

test.each(FIELDS)("the SDK's stubs read %s", (_, message, field, stub) => {
  const read = stubs[stub]!.deserializeBinary(written(message, field));
  const name = field.name.replaceAll("_", "").replace(/^./u, (letter) => letter.toUpperCase());
  if (field.name === "tags") expect((read[`get${name}Map`]!() as jspb.Map<string, string>).getLength()).toBe(1);
  else if (field.fieldKind === "list") expect(read[`get${name}List`]!()).toHaveLength(1);
  else if (`has${name}` in read) expect(read[`has${name}`]!()).toBe(true);
  else expect(read[`get${name}`]!()).toBeTruthy();
});

/** The message with something in that field alone. */
function written(message: DescMessage, field: DescField): Uint8Array {
  const value = field.fieldKind === "list" ? [valueOf(field)] : valueOf(field);
  const init =
    field.oneof === undefined
      ? { [field.localName]: value }
      : { [field.oneof.localName]: { case: field.localName, value } };
  return toBinary(message, create(message, init));
}

function valueOf(field: DescField): unknown {
  if (field.enum !== undefined) return 1;
  if (field.message !== undefined) return wrapped(field.message.typeName) ?? create(field.message);
  return { 5: 1, 8: true, 9: "text", 12: new Uint8Array(0), 13: 1 }[field.scalar as number];
}

/** Messages that the library reads and writes as the value inside. */
function wrapped(typeName: string): unknown {
  return { "google.protobuf.StringValue": "text", "google.protobuf.BoolValue": true }[typeName];
}

test("statuses have the stubs' numbers", () => {
  const ours = Object.entries(OrchestrationStatus).filter(([, number]) => typeof number === "number");
  expect(Object.fromEntries(ours.map(([name, number]) => [`ORCHESTRATION_STATUS_${name}`, number]))).toEqual(
    pb.OrchestrationStatus,
  );
});
