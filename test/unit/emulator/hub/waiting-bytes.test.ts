import { expect, test } from "vitest";
import { MOST_WAITING_BYTES } from "../../../../src/emulator/limits/limits.js";
import { failNext } from "../../../support/emulator/failing-store.js";
import { LoneHub } from "../../../support/emulator/lone-hub.js";

const REFUSED = { code: "RESOURCE_EXHAUSTED", message: expect.stringContaining("that no worker has taken") as string };
/** A StringValue of 64 KiB. */
const LARGE = Buffer.concat([Buffer.of(0x0a, 0x80, 0x80, 0x04), Buffer.alloc(65_536, "x")]);
const SIGNAL = { name: "go", input: undefined };

/** All but that many bytes are taken. */
function fill({ waitingBytes }: LoneHub, leftBytes: number): void {
  waitingBytes.add(new Uint8Array(MOST_WAITING_BYTES - waitingBytes.held - leftBytes));
}

test("clients are refused what would wait beyond the limit, and what makes room is taken", async () => {
  const lone = await LoneHub.open();
  const { clients } = lone.hub;
  expect(lone.start("instance", LARGE)).toBeUndefined();
  expect(lone.start("suspended")).toBeUndefined();
  expect(lone.ask((answer) => clients.suspend("suspended", undefined, answer))).toBeUndefined();
  fill(lone, 300);
  expect(lone.start("large", LARGE)).toMatchObject(REFUSED);
  expect(lone.ask((answer) => clients.raiseEvent("instance", { name: "go", input: LARGE }, answer))).toMatchObject(
    REFUSED,
  );
  expect(lone.ask((answer) => clients.terminate("instance", LARGE, false, answer))).toMatchObject(REFUSED);
  expect(lone.ask((answer) => clients.raiseEvent("instance", SIGNAL, answer))).toBeUndefined();
  expect(lone.ask((answer) => clients.raiseEvent("instance", SIGNAL, answer))).toMatchObject(REFUSED);
  expect(lone.ask((answer) => clients.suspend("instance", undefined, answer))).toMatchObject(REFUSED);
  expect(lone.ask((answer) => clients.resume("suspended", undefined, answer))).toBeUndefined();
  expect(lone.ask((answer) => clients.terminate("suspended", undefined, false, answer))).toBeUndefined();
  expect(lone.ask((answer) => clients.endAtOnce(["instance"], undefined, answer))).toBeUndefined();
  expect(lone.start("next", LARGE.subarray(0, 4))).toBeUndefined();
});

test("what waits is counted once, also behind a turn that was rolled back, and is not when all has ended", async () => {
  const lone = await LoneHub.open();
  const { clients } = lone.hub;
  lone.start("instance", LARGE);
  const { held } = lone.waitingBytes;
  expect(held).toBeGreaterThan(LARGE.length);
  failNext(lone.store, "commit");
  expect(lone.ask((answer) => clients.raiseEvent("instance", SIGNAL, answer))).toMatchObject({
    code: "RESOURCE_EXHAUSTED",
  });
  expect(lone.waitingBytes.held).toBe(held);
  failNext(lone.store, "commit");
  lone.ask((answer) => clients.endAtOnce(["instance"], undefined, answer));
  expect(lone.waitingBytes.held).toBe(held);
  lone.ask((answer) => clients.endAtOnce(["instance"], undefined, answer));
  expect(lone.waitingBytes.held).toBe(0);
});

test("a second termination does not wait beside the first, unless it alone is recursive", async () => {
  const lone = await LoneHub.open();
  lone.start("instance");
  const counts = [false, false, true, true, false].map((recurse) => {
    lone.ask((answer) => {
      lone.hub.clients.terminate("instance", undefined, recurse, answer);
    });
    return lone.store.waiting(lone.hub.find("instance", false)!.key).length;
  });
  expect(counts).toEqual([2, 2, 3, 3, 3]);
});
