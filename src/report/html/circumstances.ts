import { formatCount, plural, threeDigits } from "../../format/count.js";
import { durabilityText } from "../../format/durability.js";
import { formatDuration } from "../../format/duration.js";
import { formatShare } from "../../format/share.js";
import type { LatencySummary, RunResult } from "../../result/run-result.js";
import { REPLAY_TEXTS, hubText, recountText, unansweredText } from "../fact-rows.js";
import { planFacts } from "../plan-facts.js";
import { planLine } from "../plan-line.js";
import { markup, type Markup } from "./markup.js";
import { definitionList } from "./table.js";

type Facts = Parameters<typeof definitionList>[0];

/** The state of the load generator, the plan and the environment, for readers who want to repeat the run. */
export function circumstances(result: RunResult): Markup {
  const parts = [
    { title: "Load generator and clocks", facts: healthFacts(result) },
    { title: "Environment", facts: environmentFacts(result) },
    { title: "Plan", facts: loadFacts(result) },
  ];
  return markup`${parts.map(
    ({ title, facts }) => markup`<details><summary><h2>${title}</h2></summary>\n${definitionList(facts)}</details>\n`,
  )}`;
}

function healthFacts({ counts, generator, clock, concurrency, recount, unanswered }: RunResult): Facts {
  const { slipMs, eventLoopDelayMs, clockJumpMs, cpu, heldBack } = generator ?? {};
  return [
    ["starts held back by the cap", heldBack === undefined ? undefined : formatCount(heldBack)],
    ["starts that were due and never sent", counts.unsent === undefined ? undefined : formatCount(counts.unsent)],
    ["slip, how late starts left", slipMs && tailText(slipMs)],
    ["event loop delay", eventLoopDelayMs && tailText(eventLoopDelayMs)],
    ["CPU", cpu && `machine ${formatShare(cpu.machine)} busy, ${formatShare(cpu.generator)} of it this process`],
    ["largest jump of the clock", clockJumpMs === undefined ? undefined : formatDuration(clockJumpMs)],
    ["backend's clock minus this one", clock && clockText(clock)],
    [
      "effective concurrency",
      concurrency && `${threeDigits(concurrency.effective)} of ${formatCount(concurrency.planned)} planned`,
    ],
    ["starts without an answer", unanswered && unansweredText(unanswered)],
    ["counted again on the backend", recount && (recountText(recount) || agreedText(recount))],
  ];
}

function tailText({ p99, max }: LatencySummary): string {
  return `${p99 === undefined ? "" : `p99 ${formatDuration(p99)}, `}max ${formatDuration(max)}`;
}

function clockText({ offsetMs, boundMs, driftMs }: NonNullable<RunResult["clock"]>): string {
  return `${signed(offsetMs)}, ± ${formatDuration(boundMs)}, drifted ${signed(driftMs)}`;
}

function signed(ms: number): string {
  return `${ms < 0 ? "−" : ""}${formatDuration(Math.abs(ms))}`;
}

function agreedText(recount: NonNullable<RunResult["recount"]>): string {
  return "unknown" in recount ? "" : `${plural(recount.instances, "instance")}, as the run counted them`;
}

function environmentFacts({ environment }: RunResult): Facts {
  const { fanoutVersion, sdkVersion, node, platform, cpu, backend, taskHub, transport, ownWorkers, workers, hub } =
    environment;
  return [
    ["backend", backend.name],
    ["task hub", taskHub],
    ["on it when the run began", hubText(hub)],
    ["durability", backend.durability && durabilityText(backend.durability)],
    ["calls made with", transport],
    ["worker processes of the run", formatCount(ownWorkers)],
    ["replay by them", workers && REPLAY_TEXTS[workers.replay]],
    ["machine", `${platform}, ${plural(cpu.cores, "core")}, ${cpu.model}`],
    ["fanout", `${fanoutVersion}, on SDK ${sdkVersion} and Node ${node}`],
  ];
}

function loadFacts({ plan, counts }: RunResult): Facts {
  const { load, warmupMs } = plan;
  const warmup = counts.warmup === undefined ? "" : `, ${plural(counts.warmup, "orchestration")}`;
  return [
    ["load", planLine(plan)],
    ["at most in flight", load?.kind === "open" ? formatCount(load.maxInFlight) : undefined],
    ["warm-up, left out of the figures", warmupMs === undefined ? undefined : `${formatDuration(warmupMs)}${warmup}`],
    ...planFacts(plan),
  ];
}
