import { formatCount } from "../format/count.js";

/** The level of a probe for a person, to four digits because levels lie close: `120.3/s`, or `64 in flight`. */
export function levelText(level: number, load: "open" | "closed"): string {
  if (load === "closed") return `${formatCount(level)} in flight`;
  return `${level < 1_000 ? Number(level.toPrecision(4)).toString() : formatCount(level)}/s`;
}
