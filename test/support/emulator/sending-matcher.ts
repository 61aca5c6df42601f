import { ASK_AGAIN_MS, Admission } from "../../../src/emulator/dispatch/admission.js";
import { Matcher } from "../../../src/emulator/dispatch/matcher.js";
import { InstanceDispatch } from "../../../src/emulator/dispatch/instance-dispatch.js";
import type { ReadyItem } from "../../../src/emulator/dispatch/ready-items.js";
import type { WorkKind } from "../../../src/emulator/dispatch/work.js";
import type { HeldItem, Worker } from "../../../src/emulator/dispatch/worker.js";
import { VirtualTime } from "./virtual-time.js";

/** An item of a test, which makes it its worker's when it is sent. */
export interface TestItem extends ReadyItem {
  encode(worker: Worker): Uint8Array;
}

/** A matcher whose choices are sent at once, as the hub does it. */
export class SendingMatcher extends Matcher<TestItem> {
  readonly #time: VirtualTime;
  #isAsking = false;

  constructor(time = new VirtualTime(), admission = new Admission(time)) {
    super(admission);
    this.#time = time;
  }

  pump(): void {
    for (let choice = this.next(); choice !== undefined; choice = this.next())
      choice.worker.send(heldItem(choice.worker, choice.item.kind), choice.item.encode(choice.worker));

    if (!this.isHeldBack || this.#isAsking) return;
    this.#isAsking = true;
    this.#time.after(ASK_AGAIN_MS, () => {
      this.#isAsking = false;
      this.pump();
    });
  }

  unblock(worker: Worker): void {
    worker.unblock();
    this.pump();
  }
}

/** An instance that has nothing but its dispatch. */
export function homeless(): TestItem["instance"] {
  return { dispatch: new InstanceDispatch(), ended: false };
}

/** Makes something the worker's own; returns what takes it from it. */
export function hold(worker: Worker, kind: WorkKind, bytes = 1): () => void {
  const item = heldItem(worker, kind, bytes);
  worker.hold(item);
  return () => {
    worker.release(item);
  };
}

/** The worker has completed the first of what it holds. */
export function releaseOne(worker: Worker): void {
  for (const item of worker.connectionItems) {
    worker.release(item);
    return;
  }
}

function heldItem(worker: Worker, kind: WorkKind, bytes = 1): HeldItem {
  return { kind, token: "", worker, instance: { id: "" }, bytes };
}
