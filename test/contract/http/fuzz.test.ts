import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { ServePlace, TcpEmulator } from "../../support/http/serve-place.js";

/** What of JSON Schema the document uses; a keyword that is not known here fails the test. */
interface Schema {
  readonly type: "object" | "array" | "string" | "integer";
  readonly properties?: Readonly<Record<string, Schema>> | undefined;
  readonly items?: Schema | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly minLength?: number | undefined;
  readonly maxItems?: number | undefined;
}

const schema: z.ZodType<Schema> = z.lazy(() =>
  z.strictObject({
    type: z.enum(["object", "array", "string", "integer"]),
    properties: z.record(z.string(), schema).optional(),
    items: schema.optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    minLength: z.number().optional(),
    maxItems: z.number().optional(),
    additionalProperties: z.literal(false).optional(),
    default: z.unknown().optional(),
    description: z.string().optional(),
  }),
);

const operation = z.object({
  parameters: z.array(z.object({ name: z.string(), in: z.literal("path"), schema })).default([]),
  requestBody: z
    .object({ required: z.boolean(), content: z.object({ "application/json": z.object({ schema }) }) })
    .optional(),
  responses: z.record(
    z.string(),
    z.object({ content: z.object({ "application/json": z.object({ schema: z.unknown() }) }) }),
  ),
});

const document = z.object({ paths: z.record(z.string(), z.record(z.string(), operation)) });

type Operation = z.output<typeof operation>;

interface Sent {
  readonly target: string;
  readonly contentType: string | undefined;
  readonly body: string | undefined;
}

/** Values that the schema allows, and those that it nearly does. Starts stay small: each is a real one. */
function near({ type, properties, items, minimum = 0, maximum = 100, maxItems = 100 }: Schema): fc.Arbitrary<unknown> {
  const small = Math.min(maximum, 5);
  const right: Record<Schema["type"], () => fc.Arbitrary<unknown>> = {
    object: () =>
      fc.record(Object.fromEntries(Object.entries(properties ?? {}).map(([key, value]) => [key, near(value)])), {
        requiredKeys: [],
      }),
    array: () => fc.array(items === undefined ? fc.jsonValue() : near(items), { maxLength: Math.min(maxItems, 20) }),
    string: () => fc.string({ unit: "binary" }),
    integer: () => fc.integer({ min: minimum, max: small }),
  };
  const wrong: Record<Schema["type"], () => fc.Arbitrary<unknown>> = {
    object: () => fc.dictionary(fc.string(), fc.jsonValue()),
    array: () => fc.constantFrom(...[maxItems + 1, maxItems * 3].map((length) => Array.from({ length }, () => "x"))),
    string: () => fc.constantFrom("", "\0", "../x", "x".repeat(5_000)),
    integer: () => fc.oneof(fc.constantFrom(minimum - 1, maximum + 1, 2 ** 53, -0, 1e300), fc.double()),
  };
  return fc.oneof(
    { weight: 8, arbitrary: right[type]() },
    { weight: 1, arbitrary: wrong[type]() },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
}

function requests(path: string, { parameters, requestBody }: Operation): fc.Arbitrary<Sent> {
  const ids = fc.record(Object.fromEntries(parameters.map(({ name, schema }) => [name, near(schema)])));
  const target = ids.map((values) =>
    path.replaceAll(/\{(\w+)\}/gu, (_, name: string) => encodeURIComponent(asText(values[name]))),
  );
  if (requestBody === undefined) return target.map((target) => ({ target, contentType: undefined, body: undefined }));

  const value = near(requestBody.content["application/json"].schema);
  const body = fc.oneof(
    { weight: 8, arbitrary: value.map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: fc.string() },
    { weight: 1, arbitrary: value.map((value) => (JSON.stringify(value) ?? "").slice(0, -1)) },
  );
  const contentType = fc.oneof(
    { weight: 8, arbitrary: fc.constant("application/json") },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        undefined,
        "",
        "text/plain",
        "application/json; charset=utf-8",
        "application/json;charset=latin1",
        "application/jsonx",
        "nonsense",
      ),
    },
  );
  return fc.record({ target, contentType, body: fc.option(body, { freq: 10, nil: undefined }) });
}

/** Text for a path: `encodeURIComponent` throws on half a surrogate pair, `String` on an object with a `toString` of its own. */
function asText(value: unknown): string {
  return (typeof value === "string" ? value : (JSON.stringify(value) ?? "")).toWellFormed();
}

let emulator: TcpEmulator;
let place: ServePlace;

beforeAll(async () => {
  emulator = await TcpEmulator.start();
  place = await ServePlace.open(emulator.port);
});

afterAll(async () => {
  await place.close();
  emulator.close();
});

test("every request gets an answer that the OpenAPI document describes, and no 5xx", async () => {
  const { paths } = document.parse((await place.ask("/openapi.json")).body);
  const operations = Object.entries(paths).flatMap(([path, byMethod]) =>
    Object.entries(byMethod).map(([method, operation]) => ({ path, method, operation })),
  );
  expect(operations.length).toBe(6);
  const seen = new Set<string>();
  for (const { path, method, operation } of operations) {
    const isProbe = operation.requestBody === undefined && operation.parameters.length === 0;
    const property = fc.asyncProperty(requests(path, operation), async ({ target, contentType, body }) => {
      const headers = contentType === undefined ? {} : { "content-type": contentType };
      const before = emulator.instances;
      const answer = await place.ask(target, { method: method.toUpperCase(), headers, body });
      const documented = operation.responses[answer.status];
      if (documented === undefined) throw new Error(`${answer.status} is not documented: ${answer.text}`);
      if (answer.status >= 500) throw new Error(`${answer.status}: ${answer.text}`);
      const shape = documented.content["application/json"].schema;
      z.fromJSONSchema(shape as Parameters<typeof z.fromJSONSchema>[0]).parse(answer.body);
      if (answer.status !== 202 && emulator.instances !== before) throw new Error("It started something.");
      seen.add(`${method} ${path} ${answer.status}`);
    });
    await fc.assert(property, { numRuns: isProbe ? 2 : 400 });
  }
  expect(place.defects).toEqual([]);
  // It went everywhere.
  expect([...seen].sort()).toEqual(
    expect.arrayContaining([
      "get /api/orchestrations/{id} 404",
      "get /api/orchestrations/{id} 414",
      "post /api/orchestrations 202",
      "post /api/orchestrations 400",
      "post /api/orchestrations 415",
      "post /api/orchestrations/status 200",
      "post /api/orchestrations/status 400",
      "post /api/orchestrations/status 415",
    ]),
  );
});
