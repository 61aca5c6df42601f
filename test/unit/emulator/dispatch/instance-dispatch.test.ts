import { expect, test } from "vitest";
import { InstanceDispatch } from "../../../../src/emulator/dispatch/instance-dispatch.js";
import { Worker } from "../../../../src/emulator/dispatch/worker.js";
import { InvariantError } from "../../../../src/invariant.js";
import { hold } from "../../../support/emulator/sending-matcher.js";

const EPISODE = { newcomer: undefined };
const FIRST = { newcomer: "root" as const };

type Step = (dispatch: InstanceDispatch) => void;
const STEPS: Readonly<Record<string, Step>> = {
  "make ready": (dispatch) => dispatch.makeReady(EPISODE),
  withdraw: (dispatch) => dispatch.withdraw(EPISODE),
  lease: (dispatch) => dispatch.lease(EPISODE),
  "resume lease": (dispatch) => dispatch.resumeLease(),
  complete: (dispatch) => dispatch.complete(),
  settle: (dispatch) => dispatch.settle(),
  "give back": (dispatch) => dispatch.giveBack(),
};

/** The way to each state, and the steps that lead on from it. */
test.each([
  ["idle", [], ["make ready", "resume lease"]],
  ["ready", ["make ready"], ["withdraw", "lease"]],
  ["leased", ["make ready", "lease"], ["complete", "give back"]],
  ["settling", ["make ready", "lease", "complete"], ["settle"]],
])("an episode that is %s takes the steps that its state has, and no other", (_, way, allowed) => {
  const taken = Object.entries(STEPS).filter(([, step]) => {
    const dispatch = new InstanceDispatch();
    for (const name of way) STEPS[name]!(dispatch);
    try {
      step(dispatch);
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(InvariantError);
      return false;
    }
  });
  expect(taken.map(([name]) => name)).toEqual(allowed);
});

test("a first episode that waits for others is replaced by one that does not", () => {
  const dispatch = new InstanceDispatch();
  dispatch.makeReady(FIRST);
  dispatch.makeReady(EPISODE);
  expect([dispatch.isReadyAs(FIRST), dispatch.isReadyAs(EPISODE), dispatch.isNewcomer]).toEqual([false, true, false]);
});

test("a worker's accounts stop at nothing", () => {
  const worker = new Worker({ id: "", stream: { write: () => true, end: () => {} }, connectionItems: new Set() });
  const release = hold(worker, "activity");
  release();
  expect(release).toThrow(InvariantError);
  expect(() => worker.house(-1)).toThrow(InvariantError);
});
