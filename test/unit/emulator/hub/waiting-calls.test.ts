import { expect, test } from "vitest";
import { isTerminal } from "../../../../src/protocol/orchestration-status.js";
import { LoneHub } from "../../../support/emulator/lone-hub.js";

test("a call that waits is still told when one that is over is taken back late", async () => {
  const lone = await LoneHub.open();
  lone.start("instance");
  const told: string[] = [];
  const takeBack = lone.hub.waitFor(
    "instance",
    () => true,
    () => told.push("at once"),
  );
  lone.hub.waitFor("instance", isTerminal, () => told.push("at its end"));
  takeBack();
  lone.ask((answer) => {
    lone.hub.clients.endAtOnce(["instance"], undefined, answer);
  });
  expect(told).toEqual(["at once", "at its end"]);
});
