import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ServePlace, TcpEmulator, type Answer } from "../../support/http/serve-place.js";

const apiKey = "correct-horse-battery";
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const SESSION = "/api/v1/session";

let emulator: TcpEmulator;
let open: ServePlace;
let locked: ServePlace;

beforeAll(async () => {
  emulator = await TcpEmulator.start();
  open = await ServePlace.open(emulator.port);
  locked = await ServePlace.open(emulator.port, { apiKey });
});
afterAll(async () => {
  await Promise.all([open.close(), locked.close()]);
  emulator.close();
});

function login(place: ServePlace, fields: Readonly<Record<string, string>>, headers = {}): Promise<Answer> {
  const body = new URLSearchParams(fields).toString();
  return place.ask("/login", { method: "POST", headers: { ...FORM, ...headers }, body });
}

async function sessionOf(place: ServePlace): Promise<string> {
  const { headers } = await login(place, { key: apiKey });
  return headers["set-cookie"]?.[0]?.split(";", 1)[0] ?? "";
}

test("the right key opens a session, which the run API takes, until the logout", async () => {
  const answer = await login(locked, { key: apiKey, next: "/runs/r1?x=1" });
  expect(answer.status).toBe(303);
  expect(answer.headers.location).toBe("/runs/r1?x=1");
  const [header = ""] = answer.headers["set-cookie"] ?? [];
  expect(header).toMatch(
    new RegExp(`^fanout_session_${locked.port}=[\\w-]{43}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict$`, "u"),
  );
  const cookie = header.split(";", 1)[0]!;
  expect((await locked.ask(SESSION, { headers: { cookie: `a=b; ${cookie}` } })).status).toBe(204);
  expect((await locked.ask(SESSION, { headers: { "x-api-key": apiKey } })).status).toBe(204);
  for (const headers of [{}, { cookie: "a=b" }, { cookie: `${cookie}x` }, { cookie: `fanout_session_${locked.port}=` }])
    expect(await locked.ask(SESSION, { headers })).toMatchObject({ status: 401 });
  const origin = `http://127.0.0.1:${locked.port}`;
  const host = `127.0.0.1:${locked.port}`;
  const out = await locked.ask("/logout", { method: "POST", headers: { ...FORM, host, origin, cookie } });
  expect(out).toMatchObject({ status: 303, headers: { location: "/login" } });
  expect(out.headers["set-cookie"]?.[0]).toContain("=; Path=/; Max-Age=0;");
  expect((await locked.ask(SESSION, { headers: { cookie } })).status).toBe(401);
});

test("another login ends the session before it", async () => {
  const cookie = await sessionOf(locked);
  await login(locked, { key: apiKey }, { cookie });
  expect((await locked.ask(SESSION, { headers: { cookie } })).status).toBe(401);
});

test.each([
  { "x-forwarded-proto": "https" },
  { "x-forwarded-proto": "https, http" },
  { origin: "https://fanout.example", host: "fanout.example" },
])("over https the cookie is for https alone: %j", async (headers) => {
  const answer = await login(locked, { key: apiKey }, headers);
  expect(answer.headers["set-cookie"]?.[0]).toMatch(/; SameSite=Strict; Secure$/u);
});

test.each([
  "https://evil.example/",
  "//evil.example",
  String.raw`/\evil.example`,
  "/..//evil.example",
  "javascript:alert(1)",
])("after the login, %s does not lead to another site", async (next) => {
  const answer = await login(locked, { key: apiKey, next });
  expect(new URL(answer.headers.location ?? "", "http://own.example").origin).toBe("http://own.example");
  const { text } = await locked.ask(`/login?next=${encodeURIComponent(next)}`);
  expect(text).toMatch(/name="next" value="\/(?:evil\.example)?"/u);
});

describe("what a page of another origin makes a browser send is refused", () => {
  test.each([
    ["a login", "/login", { origin: "https://evil.example" }],
    ["a login of another site", "/login", { "sec-fetch-site": "cross-site" }],
    ["a logout", "/logout", { origin: "null" }],
    ["a logout of the same site", "/logout", { "sec-fetch-site": "same-site" }],
  ])("%s", async (_, path, headers) => {
    const body = new URLSearchParams({ key: apiKey }).toString();
    const answer = await locked.ask(path, { method: "POST", headers: { ...FORM, ...headers }, body });
    expect(answer.status).toBe(403);
    expect(answer.headers["set-cookie"]).toBeUndefined();
  });

  test("reads with the cookie of a session", async () => {
    const cookie = await sessionOf(locked);
    const site = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" };
    expect((await locked.ask(SESSION, { headers: { cookie, ...site } })).status).toBe(403);
  });
});

test("wrong keys are slowed, and the answers say nothing of them", async () => {
  const place = await ServePlace.open(emulator.port, { apiKey });
  try {
    const wrong = await Promise.all(
      Array.from({ length: 12 }, (_, index) => login(place, { key: `guess-${index}-${apiKey}` })),
    );
    const statuses = wrong.map(({ status }) => status).toSorted((a, b) => a - b);
    expect(statuses).toEqual([...Array<number>(5).fill(401), ...Array<number>(7).fill(429)]);
    for (const { text, headers, status } of wrong) {
      expect(text).not.toContain("guess");
      if (status === 429) expect(Number(headers["retry-after"])).toBeLessThanOrEqual(5);
    }
  } finally {
    await place.close();
  }
});

test.each([
  ["no form", { body: "{}", headers: { "content-type": "application/json" } }, 401],
  ["an empty one", { body: "", headers: FORM }, 401],
  ["one that is too large", { body: `key=${"x".repeat(20_000)}`, headers: FORM }, 413],
])("%s is no login", async (_, asked, status) => {
  const place = await ServePlace.open(emulator.port, { apiKey });
  try {
    expect((await place.ask("/login", { method: "POST", ...asked })).status).toBe(status);
  } finally {
    await place.close();
  }
});

test("the form has a policy without inline scripts, and a key that was tried does not come back", async () => {
  const { headers, text } = await locked.ask('/login?next="><script>alert(1)</script>');
  expect(headers["content-security-policy"]).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
  expect(headers["content-security-policy"]).not.toContain("unsafe");
  expect(text).not.toContain("<script>alert");
  expect((await login(locked, { key: "wrong" })).text).not.toContain('wrong"');
});

test("without a key there is no login, and the checks of Host and site hold for it", async () => {
  expect(await open.ask("/login")).toMatchObject({ status: 303, headers: { location: "/" } });
  expect((await open.ask("/login", { method: "POST", headers: FORM })).status).toBe(405);
  expect((await open.ask(SESSION)).status).toBe(204);
  expect((await open.ask(SESSION, { headers: { host: "evil.example" } })).status).toBe(403);
  expect((await open.ask(SESSION, { headers: { "sec-fetch-site": "cross-site" } })).status).toBe(403);
});

test("a browser gets an error as a page, and a program as JSON", async () => {
  const page = await open.ask("/nothing/%3Cscript%3E", { headers: { accept: "text/html" } });
  expect(page.status).toBe(404);
  expect(page.text).toContain("<h1>Not found</h1>");
  expect(page.text).not.toContain("<script>");
  expect((await open.ask("/nothing")).body).toMatchObject({ code: "not-found" });
  expect((await open.ask("/api/v1/nothing", { headers: { accept: "text/html" } })).body).toMatchObject({ status: 404 });
});
