import { formatBytes } from "../format/bytes.js";

/** A disk has more room than this, but a person who tries fanout does not expect it to be used. */
const NOTED_BYTES = 1e9;

/**
 * A warning that the emulator's store has become large, with the way to shrink it; undefined for a small store, and in
 * memory.
 */
export function storeSizeText(store: {
  readonly storeBytes: number;
  readonly durability: string;
  readonly folder: string;
}): string | undefined {
  if (store.storeBytes <= NOTED_BYTES || store.durability === "ephemeral") return undefined;
  return (
    `the emulator's store takes ${formatBytes(store.storeBytes)} in ${store.folder}: ` +
    "`fanout purge --older-than 1h` deletes older load tests, `fanout emulator reset` deletes everything"
  );
}
