import { getEventListeners } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { RunPage } from "../../../src/commands/run-page.js";
import type { LiveUpdate } from "../../../src/live/live-update.js";
import { RunFeed } from "../../../src/live/run-feed.js";
import { sampleUpdate } from "../../support/live/sample-update.js";

/** A page that nobody looks at, and a run whose clock goes on. */
async function followed() {
  const page = await RunPage.open(0);
  onTestFinished(() => page.close());
  const run = { elapsedMs: 1_000 };
  const feed = new RunFeed({
    run: sampleUpdate.run,
    watched: {
      snapshot: () => ({ ...sampleUpdate.snapshot, elapsedMs: run.elapsedMs }),
      standing: () => undefined,
      stallsSoFar: () => [],
    },
    thresholds: [],
    changes: () => ({ widthMs: 1_000, intervals: [] }),
  });
  const interruption = new AbortController();
  page.follow(feed, interruption.signal);
  return { page, run, feed, interruption };
}

/** The first update that a viewer gets. */
async function seen(page: RunPage): Promise<LiveUpdate> {
  const left = new AbortController();
  const { body } = await fetch(new URL("events", page.url), { signal: left.signal });
  let text = "";
  try {
    for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const [, data] = /^data: (.*)\n/mu.exec(text) ?? [];
      if (data !== undefined) return JSON.parse(data) as LiveUpdate;
    }
  } finally {
    left.abort();
  }
  throw new Error(`Expected an update, found ${text}`);
}

test("a viewer that comes after the end sees the figures as they were at the end", async () => {
  const { page, run } = await followed();
  page.ended();
  run.elapsedMs = 99_000;
  expect(await seen(page)).toMatchObject({ phase: { kind: "ended" }, snapshot: { elapsedMs: 1_000 } });
});

test("an interruption after the end of a run changes nothing on its page", async () => {
  const { page, interruption } = await followed();
  page.ended();
  interruption.abort();
  expect((await seen(page)).phase).toEqual({ kind: "ended" });
});

test("an interruption ends the run on its page, and repeated runs leave no listeners behind", async () => {
  const { page, feed, interruption } = await followed();
  for (let run = 2; run <= 20; run += 1) {
    page.ended();
    page.follow(feed, interruption.signal);
  }
  expect(getEventListeners(interruption.signal, "abort")).toHaveLength(1);
  interruption.abort();
  expect((await seen(page)).phase).toMatchObject({ kind: "ending" });
});
