import { formatCount } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { formatRate } from "../format/rate.js";
import type { Stall } from "../result/run-result.js";
import { rpcErrorsText } from "./fact-rows.js";

const LISTED = 5;

/** The first stalls in words, and the number of the others. */
export function stallTexts(stalls: readonly Stall[] = []): readonly string[] {
  const more = stalls.length - LISTED;
  return [...stalls.slice(0, LISTED).map(stallText), ...(more > 0 ? [`and ${formatCount(more)} more`] : [])];
}

/** `stalled 2.04 s from 12.3 s on, 104 in flight, 50/s offered, 12 UNAVAILABLE` */
function stallText({ fromMs, lengthMs, open = false, inFlight, offeredPerSecond, rpcErrors }: Stall): string {
  const parts = [
    `stalled ${formatDuration(lengthMs)} from ${formatDuration(fromMs)} on${open ? " until the end" : ""}`,
    `${formatCount(inFlight)} in flight`,
    offeredPerSecond > 0 ? `${formatRate(offeredPerSecond)} offered` : "",
    rpcErrorsText(rpcErrors),
  ];
  return parts.filter((part) => part !== "").join(", ");
}
