import { inspect } from "node:util";
import { expect, test } from "vitest";
import { proxyFor } from "../../../src/backend/proxy.js";
import { UsageError } from "../../../src/errors.js";

const AZURE = "https://mine.westeurope.durabletask.io";
const PROXY = { HTTPS_PROXY: "http://proxy.example:3128" };

test.each<[string, NodeJS.ProcessEnv, string | undefined]>([
  [AZURE, {}, undefined],
  [AZURE, PROXY, "HTTPS_PROXY proxy.example:3128"],
  [AZURE, { HTTPS_PROXY: "proxy.example" }, "HTTPS_PROXY proxy.example:80"],
  [AZURE, { HTTPS_PROXY: "http://[2001:db8::1]:8080" }, "HTTPS_PROXY [2001:db8::1]:8080"],
  [AZURE, { ...PROXY, https_proxy: "http://small:1" }, "https_proxy small:1"],
  [AZURE, { ...PROXY, https_proxy: "" }, "HTTPS_PROXY proxy.example:3128"],
  [AZURE, { ALL_PROXY: "http://all:1" }, "ALL_PROXY all:1"],
  [AZURE, { http_proxy: "http://plain:1", HTTP_PROXY: "http://plain:1" }, undefined],
  ["http://host.example", PROXY, undefined],
  ["https://localhost:8443", PROXY, undefined],
  ["https://127.0.0.2", PROXY, undefined],
  ["https://[::1]:8443", PROXY, undefined],
  [AZURE, { ...PROXY, NO_PROXY: "*" }, undefined],
  [AZURE, { ...PROXY, NO_PROXY: "durabletask.io" }, undefined],
  [AZURE, { ...PROXY, no_proxy: "a.example .DurableTask.IO" }, undefined],
  [AZURE, { ...PROXY, NO_PROXY: "*.durabletask.io:443" }, undefined],
  [AZURE, { ...PROXY, NO_PROXY: "durabletask.io:8443" }, "HTTPS_PROXY proxy.example:3128"],
  [AZURE, { ...PROXY, NO_PROXY: "urabletask.io,durabletask" }, "HTTPS_PROXY proxy.example:3128"],
  [AZURE, { ...PROXY, NO_PROXY: "", no_proxy: "" }, "HTTPS_PROXY proxy.example:3128"],
  ["https://10.1.2.3", { ...PROXY, NO_PROXY: "10.0.0.0/8" }, undefined],
  ["https://11.1.2.3", { ...PROXY, NO_PROXY: "10.0.0.0/8,1.2.3,bad/8,10.0.0.0/99" }, "HTTPS_PROXY proxy.example:3128"],
  ["https://[2001:db8::7]", { ...PROXY, NO_PROXY: "2001:db8::/32" }, undefined],
  ["https://[2001:db8::7]:8443", { ...PROXY, NO_PROXY: "[2001:db8::7]" }, undefined],
])("on the way to %s with %j there is %s", (url, env, expected) => {
  const proxy = proxyFor(new URL(url), env);
  expect(proxy && `${proxy.source} ${proxy.place}`).toBe(expected);
});

test("credentials are decoded, and never printed", () => {
  const proxy = proxyFor(new URL(AZURE), { HTTPS_PROXY: "http://us%40er:p%3Ass@proxy.example:3128" });
  expect(proxy?.credentials).toBe("us@er:p:ss");
  expect(JSON.stringify(proxy) + inspect(proxy, { depth: 9, showHidden: true })).not.toMatch(/ss/u);
});

test.each(["https://u:hunter2@proxy.example", "socks5://u:hunter2@proxy.example:1", "http://u:hunter2@:1", "http://"])(
  "%s is refused, and nothing of it is told",
  (text) => {
    const look = () => proxyFor(new URL(AZURE), { HTTPS_PROXY: text });
    expect(look).toThrow(UsageError);
    expect(look).toThrow(/^HTTPS_PROXY: expected a proxy such as http:\/\/HOST:PORT, found (?!.*hunter2)/u);
  },
);
