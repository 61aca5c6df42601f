import { StoreError, type Store } from "../../../src/emulator/store/store.js";

/** The next transaction finds the disk full when it begins, in front of all commands, or when it commits. */
export function failNext(store: Store, step: "begin" | "commit"): void {
  const original = store[step].bind(store);
  store[step] = () => {
    store[step] = original;
    throw new StoreError("full", "database or disk is full");
  };
}
