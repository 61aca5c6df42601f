import { formatBytes } from "../format/bytes.js";

/** A disk has more room than this; who only tries things out does not expect them to take it. */
const NOTED_BYTES = 1e9;

/** That the emulator's store has become large, and how to shrink it; undefined while it is not, or is in memory. */
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
