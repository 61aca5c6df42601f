import { expect, test } from "vitest";
import { taskScheduled } from "../../../../src/protocol/history-event.js";
import { LoneHub } from "../../../support/emulator/lone-hub.js";

/** A text that ends behind its end. */
const CUT = Buffer.of(0x0a, 5);

test.each([
  ["an event", Buffer.of(0x1a, 5)],
  [
    "the version of an activity",
    taskScheduled(1, { name: "Activity", version: CUT, input: undefined, traceContext: undefined, tags: [] }, 1),
  ],
])("a store in which %s cannot be read is refused with the name of the instance", async (_, event) => {
  const lone = await LoneHub.open();
  const { hub, store } = lone;
  lone.start("instance");
  store.begin();
  store.appendWaiting(hub.find("instance", false)!.key, { seq: 2, event });
  store.commit();
  expect(() => {
    hub.reload(store.active(), store.detached());
  }).toThrow(/of the instance 'instance' of task hub 'hub': .*\. Nothing was changed\./u);
});
