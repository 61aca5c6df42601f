/** Of microseconds since the epoch: `2026-11-29T00:46:40.123456Z`. */
export function isoTime(us: number): string {
  const wholeMs = Math.floor(us / 1_000);
  const digits = (us - wholeMs * 1_000).toString().padStart(3, "0");
  return new Date(wholeMs).toISOString().replace("Z", `${digits}Z`);
}

/** Of `2026-11-29T00:46:40.123456Z`, to the microsecond, which `Date` does not keep. */
export function microsecondsSinceEpoch(isoTime: string): number {
  const digits = /\.(\d+)Z$/u.exec(isoTime)?.[1] ?? "";
  const wholeSeconds = Math.floor(Date.parse(isoTime) / 1_000);
  return wholeSeconds * 1_000_000 + Number(digits.padEnd(6, "0").slice(0, 6));
}
