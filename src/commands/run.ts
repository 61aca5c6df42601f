import { availableParallelism } from "node:os";
import { resolveConnection, type Connection } from "../backend/connection-string.js";
import { chooseTransport } from "../backend/transport.js";
import { ExitCode } from "../exit-codes.js";
import { plural } from "../format/count.js";
import {
  CARRIED_PER_SECOND,
  generatorsOf,
  generatorsText,
  type GeneratorMachine,
  type Generators,
} from "../plan/generators-flag.js";
import { planLine } from "../report/plan-line.js";
import { capacityLine, guardSpend, spendObjection } from "../plan/spend-guard.js";
import { refuseTooFewInputs } from "../load/too-few-inputs.js";
import { refuseUncarried } from "../load/uncarried-thresholds.js";
import { checkResultFiles } from "../report/report-files.js";
import { readBaseline } from "./compare.js";
import { errorsOnly } from "./errors-only.js";
import type { CommandIo } from "./io.js";
import { noticeOn } from "./notice.js";
import { parseRunCall, type RunCall } from "./run-call.js";
import type { RunPage } from "./run-page.js";
import { withRunFlags, type RunCommandLine, type RunFlags } from "./run-flags.js";

/** `fanout run`: load tests, from flags to summaries. Data is printed on stdout, everything else on stderr. */
export function runRunCommand(line: RunCommandLine, io: CommandIo): Promise<ExitCode> {
  return withRunFlags(line, (flags) => runWith(flags, io));
}

async function runWith(runFlags: RunFlags, allIo: CommandIo): Promise<ExitCode> {
  const call = parseRunCall(runFlags.flags);
  // With --quiet, only results and errors are printed.
  const io = call.quiet ? { ...allIo, stderr: errorsOnly(allIo.stderr) } : allIo;
  await checkResultFiles(call);
  const baseline = await readBaseline(call);
  const { connectionString, taskHub } = call;
  const connection = resolveConnection({ flag: connectionString, taskHub });
  const transport = chooseTransport(connection, call.transport);
  refuseTooFewInputs(call.plan);
  refuseUncarried(call.thresholds, call.plan);
  const generators = generatorsOf(call.plan, call.generators, machineOf(connection, call.plan));
  if (call.printPlan) return printPlan(runFlags, allIo);
  if (call.dryRun) return dryRun(call, generators, connection, io);
  // An http endpoint may be an emulator, which bills nothing: only its answer shows that.
  guardSpend(call.cost, call.limits, call.repeat, mayBeEmulator(connection) ? "emulator" : "billed");
  // Modules that talk to a backend load slowly. A refused call or a dry run does not need them.
  const { runOnBackend } = await import("./run-on-backend.js");
  const run = (page?: RunPage): Promise<ExitCode> =>
    runOnBackend({ call, generators, connection, transport, baseline, page, io, resultsIo: allIo });
  if (call.live === undefined) return run();
  const { withRunPage } = await import("./run-page.js");
  return withRunPage({ port: call.live, keep: call.liveKeep }, noticeOn(io.stderr), run);
}

async function printPlan({ given, keys }: RunFlags, io: CommandIo): Promise<ExitCode> {
  const { planFileText } = await import("../plan/plan-file.js");
  io.stdout.write(planFileText(given, keys));
  if (given["connectionString"] !== undefined)
    io.stderr.write("the connection string is not printed, since it may hold a secret\n");
  return ExitCode.Success;
}

/** What `--generators auto` depends on. */
export function machineOf(connection: Connection, { workers }: RunCall["plan"]): GeneratorMachine {
  const isEmulator = connection.kind === "emulator";
  const isSecure = !isEmulator && connection.url.protocol === "https:";
  return {
    cores: availableParallelism(),
    isShared: isEmulator || (workers !== "auto" && workers > 0),
    startsPerSecond: isSecure ? CARRIED_PER_SECOND.tls : CARRIED_PER_SECOND.plaintext,
  };
}

/** Our own emulator has no TLS. */
function mayBeEmulator(connection: Connection): boolean {
  return connection.kind === "emulator" || connection.url.protocol === "http:";
}

/** What the plan may cost. */
function billingLine({ subOrchestrations, timer }: RunCall["plan"]): string {
  const parts = [
    "1 for each start and each continue-as-new",
    "2 for each activity",
    subOrchestrations !== undefined && "2 for each sub-orchestration",
    timer !== undefined && "1 for each timer",
    "3 for each retry",
  ];
  return `a scheduler bills actions: ${parts.filter((part) => part !== false).join(", ")}`;
}

/** Prints the plan and its cost. It opens nothing, so it needs neither a backend nor a credential. */
function dryRun(
  { plan, cost, limits, repeat }: RunCall,
  generators: Generators,
  connection: Connection,
  io: CommandIo,
): ExitCode {
  const place = connection.kind === "emulator" ? "the embedded emulator" : connection.url.origin;
  const objection = spendObjection(cost, limits, repeat, connection.kind === "emulator" ? "emulator" : "billed");
  const lines = [
    "dry run: nothing is started",
    `backend: ${place}, task hub ${connection.taskHub} (connection string: ${connection.source})`,
    planLine(plan) + generatorsText(generators),
    repeat > 1 ? `${plural(repeat, "time")}, one after the other` : undefined,
    billingLine(plan),
    capacityLine(cost, limits, repeat),
    objection && `without --dry-run this run is refused: ${objection.message}`,
  ];
  const say = noticeOn(io.stdout);
  for (const line of lines) if (line !== undefined) say(line);
  return ExitCode.Success;
}
