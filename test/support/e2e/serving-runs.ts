import type { LiveUpdate } from "../../../src/live/live-update.js";
import { RunApi } from "./run-api.js";
import { Workplace } from "./workplace.js";

export const SMALL = { iterations: 1, parallelActivities: 2, parallelOrchestrations: 3, workers: 1 };
/** It does not end by itself within a test. Its activities are short: the worker waits for them when it is cancelled. */
export const ENDLESS = {
  iterations: 10_000,
  parallelActivities: 1,
  parallelOrchestrations: 2,
  activityDuration: "200ms",
  workers: 1,
};

/** A `fanout serve` on an emulator of its own. */
export async function serving(flags = "") {
  const place = await Workplace.open();
  const serve = place.start(`serve --port 0${flags}`);
  return { place, serve, api: await RunApi.of(serve) };
}

/** The same with a worker, for the tests of a file. Their caller closes its place. */
export async function servingAll(flags = "") {
  const place = await Workplace.withWorker();
  const serve = place.start(`serve --port 0${flags}`);
  return { place, serve, api: await RunApi.of(serve) };
}

/** All orchestrations of the endless run were started. */
export async function inFlight(api: RunApi, runId: string): Promise<void> {
  for await (const { data } of api.events(runId)) {
    const { snapshot } = data as LiveUpdate;
    if (snapshot.orchestrations.started >= ENDLESS.parallelOrchestrations) return;
  }
  throw new Error("Expected the run to start all, found that it ended before.");
}
