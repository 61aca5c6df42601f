/**
 * Loaded ahead of an emulator by `node --import`: a step of an episode is taken twice, which its dispatch does not let
 * pass. FANOUT_TEST_STEP names the step: `complete` is inside of a transaction, `settle` follows a sync, `giveBack` is
 * inside of a call.
 */
import { InstanceDispatch } from "../../../dist/emulator/dispatch/instance-dispatch.js";

const step = process.env["FANOUT_TEST_STEP"] as "complete" | "settle" | "giveBack";

const once = InstanceDispatch.prototype[step];
InstanceDispatch.prototype[step] = function twice(this: InstanceDispatch) {
  once.call(this);
  once.call(this);
};
