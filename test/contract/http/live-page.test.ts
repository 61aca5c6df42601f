import { once } from "node:events";
import { request, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { startLivePage } from "../../../src/http/live-page.js";
import { LiveHub } from "../../../src/live/live-hub.js";
import { sampleUpdate } from "../../support/live/sample-update.js";

async function served(refresh: (hub: LiveHub) => void = () => {}) {
  const hub = new LiveHub();
  const server = await startLivePage({
    port: 0,
    hub,
    report: () => undefined,
    refresh: () => refresh(hub),
    onViewers: () => {},
  });
  onTestFinished(() => server.close());
  return { hub, port: Number(new URL(server.url).port) };
}

async function answerTo(port: number, path: string, headers: OutgoingHttpHeaders = {}, method = "GET") {
  const sent = request({ host: "127.0.0.1", port, path, method, headers }).end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  response.resume();
  onTestFinished(() => void sent.destroy());
  return response.statusCode;
}

const LINK = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };

test("neither a page of another site nor a name of another server reads the page or its events", async () => {
  const { port } = await served();
  for (const path of ["/", "/events", "/live.js", "/live.css"]) {
    expect(await answerTo(port, path)).toBe(200);
    expect(await answerTo(port, path, { "sec-fetch-site": "same-origin" })).toBe(200);
    expect(await answerTo(port, path, { "sec-fetch-site": "cross-site" })).toBe(403);
    expect(await answerTo(port, path, { "sec-fetch-site": "same-site", "sec-fetch-mode": "cors" })).toBe(403);
    expect(await answerTo(port, path, { host: `evil.example:${port}` })).toBe(403);
  }
  expect(await answerTo(port, "/", { "sec-fetch-site": "cross-site", ...LINK })).toBe(200);
  expect(await answerTo(port, "/", { "sec-fetch-site": "cross-site", ...LINK, "sec-fetch-dest": "iframe" })).toBe(403);
  expect(await answerTo(port, "/events", { "sec-fetch-site": "cross-site", ...LINK })).toBe(403);
  expect(await answerTo(port, "/report")).toBe(404);
  expect(await answerTo(port, "/events", { origin: "http://evil.example" }, "POST")).toBe(403);
});

test("HEAD of the events is refused, and is no viewer", async () => {
  const { hub, port } = await served();
  expect(await answerTo(port, "/events", {}, "HEAD")).toBe(405);
  expect(hub.viewers).toBe(0);
  expect(await answerTo(port, "/", {}, "HEAD")).toBe(200);
});

test("the first viewer after a while gets the run as it is now, and not as it was before", async () => {
  const now = { ...sampleUpdate, phase: { kind: "ending", why: "It is late." } } as const;
  const { hub, port } = await served((page) => page.publish(now));
  hub.publish(sampleUpdate);
  const reader = request({ host: "127.0.0.1", port, path: "/events" }).end();
  onTestFinished(() => void reader.destroy());
  const [response] = (await once(reader, "response")) as [IncomingMessage];
  let read = "";
  response.setEncoding("utf8").on("data", (text: string) => (read += text));
  await expect.poll(() => read).toContain("\ndata: ");
  expect(read).toContain("It is late.");
  expect(read.match(/^data: /gmu)).toHaveLength(1);
});

test("a viewer that reads nothing is dropped, and others get every event", async () => {
  const { hub, port } = await served();
  const stuck = connect(port, "127.0.0.1");
  onTestFinished(() => void stuck.destroy());
  stuck.pause().write(`GET /events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  await expect.poll(() => hub.viewers).toBe(1);
  const reader = request({ host: "127.0.0.1", port, path: "/events" }).end();
  onTestFinished(() => void reader.destroy());
  const [response] = (await once(reader, "response")) as [IncomingMessage];
  let read = "";
  response.setEncoding("utf8").on("data", (text: string) => (read += text));
  await expect.poll(() => hub.viewers).toBe(2);

  const large = { ...sampleUpdate, run: { ...sampleUpdate.run, planLine: "x".repeat(200_000) } };
  let published = 0;
  while (hub.viewers === 2) {
    hub.publish(large);
    published += 1;
    expect(published).toBeLessThan(500);
    const id = `id: ${large.run.runId}/${published}\n`;
    await expect.poll(() => read.includes(id), { interval: 1 }).toBe(true);
    read = "";
  }
  expect(hub.viewers).toBe(1);
});
