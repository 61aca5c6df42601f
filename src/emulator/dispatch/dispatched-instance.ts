import { Instance } from "../instance/instance.js";
import { InstanceDispatch } from "./instance-dispatch.js";

/** An instance and its dispatch, which follows what happens to the execution. */
export class DispatchedInstance extends Instance {
  readonly dispatch = new InstanceDispatch();

  override takeWaiting(eventCount: number, resultCount: number): Uint8Array[] {
    this.dispatch.complete();
    return super.takeWaiting(eventCount, resultCount);
  }

  override continueAsNew(...args: Parameters<Instance["continueAsNew"]>): Uint8Array[] {
    this.dispatch.restart();
    return super.continueAsNew(...args);
  }

  override rewind(...args: Parameters<Instance["rewind"]>): Uint8Array[] {
    this.dispatch.restart();
    return super.rewind(...args);
  }

  override stop(): void {
    super.stop();
    this.dispatch.stop();
  }
}
