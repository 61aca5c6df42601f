import { formatCount } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { formatRate } from "../format/rate.js";
import { oneLine } from "../format/one-line.js";
import type { Outage, Stall } from "../result/run-result.js";
import { rpcErrorsText } from "./fact-rows.js";

const LISTED = 5;

/** `backend away 20.1 s from 12.3 s on: UNAVAILABLE: connect ECONNREFUSED 127.0.0.1:8080` */
export function outageTexts(outages: readonly Outage[] = []): readonly string[] {
  return listed(outages.map(outageText));
}

function outageText({ fromMs, lengthMs, open = false, found }: Outage): string {
  return `backend away ${spanText({ fromMs, lengthMs, open })}: ${oneLine(found)}`;
}

/** The first stalls in words, and the number of the others. */
export function stallTexts(stalls: readonly Stall[] = []): readonly string[] {
  return listed(stalls.map(stallText));
}

function listed(texts: readonly string[]): readonly string[] {
  const more = texts.length - LISTED;
  return [...texts.slice(0, LISTED), ...(more > 0 ? [`and ${formatCount(more)} more`] : [])];
}

/** `2.04 s from 12.3 s on` */
function spanText({ fromMs, lengthMs, open }: Pick<Required<Stall>, "fromMs" | "lengthMs" | "open">): string {
  return `${formatDuration(lengthMs)} from ${formatDuration(fromMs)} on${open ? " until the end" : ""}`;
}

/** `stalled 2.04 s from 12.3 s on, 104 in flight, 50/s offered, 12 UNAVAILABLE` */
function stallText({ fromMs, lengthMs, open = false, inFlight, offeredPerSecond, rpcErrors }: Stall): string {
  const parts = [
    `stalled ${spanText({ fromMs, lengthMs, open })}`,
    `${formatCount(inFlight)} in flight`,
    offeredPerSecond > 0 ? `${formatRate(offeredPerSecond)} offered` : "",
    rpcErrorsText(rpcErrors),
  ];
  return parts.filter((part) => part !== "").join(", ");
}
