const SURVIVES = {
  disk: "survives the process and the power",
  process: "survives the process, not the power",
  ephemeral: "is in memory only, and gone when the emulator ends",
} as const;

/** `process: what is acknowledged survives the process, not the power`. Old results say `fsync` for `disk`. */
export function durabilityText(durability: keyof typeof SURVIVES | "fsync"): string {
  const name = durability === "fsync" ? "disk" : durability;
  return `${name}: what is acknowledged ${SURVIVES[name]}`;
}
