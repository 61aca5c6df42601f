const SURVIVES = {
  disk: "survive a crash and a power failure",
  process: "survive a crash, not a power failure",
  ephemeral: "are in memory only, and lost when the emulator ends",
} as const;

/** `process: acknowledged calls survive a crash, not a power failure`. Old results say `fsync` for `disk`. */
export function durabilityText(durability: keyof typeof SURVIVES | "fsync"): string {
  const name = durability === "fsync" ? "disk" : durability;
  return `${name}: acknowledged calls ${SURVIVES[name]}`;
}
