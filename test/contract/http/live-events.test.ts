import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { fastify } from "fastify";
import { expect, onTestFinished, test } from "vitest";
import { SESSION_SECONDS, Sessions } from "../../../src/http/door/sessions.js";
import { followHub } from "../../../src/http/live-events.js";
import { portOf } from "../../../src/http/port.js";
import { LiveHub } from "../../../src/live/live-hub.js";
import { sampleUpdate } from "../../support/live/sample-update.js";

/** Events of a hub, for who comes with a session of the test's clock. */
async function followed() {
  const clock = { nowMs: 0 };
  const sessions = new Sessions(() => clock.nowMs);
  const hub = new LiveHub();
  hub.publish(sampleUpdate);
  const app = fastify();
  onTestFinished(() => app.close());
  let gone = 0;
  app.get<{ Params: { token: string } }>("/:token", ({ params: { token } }, reply) => {
    followHub(hub, reply, { lastId: undefined, session: sessions.find(token), onGone: () => (gone += 1) });
  });
  await app.listen({ port: 0, host: "127.0.0.1" });
  const port = portOf(app.server.address());
  return { clock, sessions, hub, viewer: (token: string) => viewerAt(port, token), gone: () => gone };
}

async function viewerAt(port: number, token: string) {
  const sent = request({ host: "127.0.0.1", port, path: `/${token}`, agent: false }).end();
  onTestFinished(() => void sent.destroy());
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  let read = "";
  response.setEncoding("utf8").on("data", (text: string) => (read += text));
  const ended = new Promise((resolve) => void response.on("end", resolve).on("error", () => {}));
  await expect.poll(() => read).toContain("\ndata: ");
  return { ended, updates: () => read.match(/^data: /gmu)?.length ?? 0 };
}

test("the events end with the session of their viewer, at once, and those of other viewers go on", async () => {
  const { sessions, hub, viewer, gone } = await followed();
  const [own, other] = [sessions.open(), sessions.open()];
  const leaving = await viewer(own);
  const staying = [await viewer(other), await viewer("none")];
  sessions.close(own);
  await leaving.ended;
  hub.publish(sampleUpdate);
  for (const each of staying) await expect.poll(each.updates).toBe(2);
  expect(leaving.updates()).toBe(1);
  await expect.poll(gone).toBe(1);
  expect(hub.viewers).toBe(2);
});

test("a session that has expired gets no further event", async () => {
  const { clock, sessions, hub, viewer, gone } = await followed();
  const leaving = await viewer(sessions.open());
  clock.nowMs = SESSION_SECONDS * 1_000;
  const staying = await viewer(sessions.open());
  hub.publish(sampleUpdate);
  await leaving.ended;
  expect(leaving.updates()).toBe(1);
  await expect.poll(gone).toBe(1);
  hub.end({ name: "ended", data: {} });
  await staying.ended;
  expect(staying.updates()).toBe(3);
});
