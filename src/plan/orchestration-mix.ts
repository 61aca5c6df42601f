import { z } from "zod";
import { UsageError } from "../errors.js";
import type { Mix } from "../result/mix.js";
import { readFlags } from "./flag-values.js";
import { foreignFlags, foreignOf, type ForeignPlan } from "./foreign-orchestration.js";
import { withInputValues } from "./input-lines.js";
import { instanceFlags } from "./instance-flags.js";

const MOST = 50;
const NUMBER = /^\d+(?:\.\d+)?$/u;

/** One of the orchestrations that a run mixes. */
export interface MixedOrchestration extends ForeignPlan {
  readonly weight: number;
  readonly instanceVersion?: string;
}

/** The key of a plan file that has several orchestrations. No flag has one. */
export const mixFlags = { orchestrations: z.array(z.unknown()).optional() };

const entryFlags = z.object({
  ...foreignFlags,
  orchestrator: foreignFlags.orchestrator.unwrap(),
  instanceVersion: instanceFlags.instanceVersion,
  weight: z.string().transform((text, context) => {
    const weight = NUMBER.test(text) ? Number(text) : 0;
    if (weight > 0 && Number.isFinite(weight)) return weight;
    context.addIssue({ code: "custom", message: `--weight: expected a number above 0, found "${text}"` });
    return z.NEVER;
  }),
});

interface BesideMix {
  readonly orchestrations?: readonly unknown[] | undefined;
  readonly orchestrator?: string | undefined;
  readonly input?: string | undefined;
  readonly inputOrder?: string | undefined;
}

/**
 * The orchestrations of a plan file; undefined without any.
 * @throws UsageError that names the place of what cannot be mixed
 */
export function mixOf({ orchestrations, ...beside }: BesideMix): readonly MixedOrchestration[] | undefined {
  if (orchestrations === undefined) return undefined;
  for (const [flag, value] of [
    ["--orchestrator", beside.orchestrator],
    ["--input", beside.input],
    ["--input-order", beside.inputOrder],
  ]) {
    if (value === undefined) continue;
    throw new UsageError("conflicting-flags", `${flag}: expected it without orchestrations, which have their own`);
  }
  if (orchestrations.length === 0 || orchestrations.length > MOST)
    throw invalid("", `expected 1 to ${MOST} orchestrations, found ${orchestrations.length}`);
  const mix = orchestrations.map((entry, place) => atEntry(place, () => entryOf(entry)));
  for (const [place, { orchestrator }] of mix.entries()) {
    if (mix.findIndex((other) => other.orchestrator === orchestrator) === place) continue;
    throw invalid(`.${place}.orchestrator`, `expected each name once, found ${orchestrator} again`);
  }
  return mix;
}

function entryOf(entry: unknown): MixedOrchestration {
  const { weight, instanceVersion, ...flags } = readFlags(entryFlags, entry);
  if (flags.inputOrder === "once") {
    throw new UsageError("conflicting-flags", "--input-order: expected cycle or random in a mix, found once", {
      hint: "the numbers of the starts of one orchestration have gaps, so that inputs would be left over",
    });
  }
  return { weight, ...foreignOf(flags)!, ...(instanceVersion !== undefined && { instanceVersion }) };
}

/** The names of somebody's own orchestrations; none for the fan-out. */
export function foreignNames({ orchestrator, orchestrations }: WithInputs): readonly string[] {
  return orchestrations?.map((entry) => entry.orchestrator) ?? (orchestrator === undefined ? [] : [orchestrator]);
}

/** The part of a mix that a result shows: without inputs, which are somebody's own. */
export function resultMixOf(mix: readonly MixedOrchestration[]): Mix {
  return mix.map(({ orchestratorInput: _input, inputPath: _path, inputValues: _values, ...told }) => told);
}

/** The plan without the inputs that each process reads itself. */
export function withoutInputValues<Plan extends WithInputs>({ inputValues: _values, ...plan }: Plan) {
  const { orchestrations } = plan;
  return {
    ...plan,
    ...(orchestrations && { orchestrations: orchestrations.map(({ inputValues: _own, ...entry }) => entry) }),
  };
}

/** As `withInputValues`, of each orchestration. */
export function withAllInputValues<Plan extends WithInputs>(plan: Plan): Plan {
  const { orchestrations } = plan;
  return withInputValues({ ...plan, ...(orchestrations && { orchestrations: orchestrations.map(withInputValues) }) });
}

interface WithInputs extends Partial<ForeignPlan> {
  readonly orchestrations?: readonly MixedOrchestration[];
}

/** What is wrong with a flag is then said of the field of the entry with the same name. */
function atEntry<T>(place: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const [first, ...more] = [error, ...error.more].flatMap((one) => {
      if (!(one instanceof UsageError)) return [];
      const problem = one.problem.replace(/^--([a-z-]+)/u, (_, flag: string) => `--orchestrations.${place}.${flag}`);
      return [new UsageError(one.code, problem, { hint: one.hint, cause: one })];
    });
    throw UsageError.all([first!, ...more]);
  }
}

function invalid(place: string, problem: string): UsageError {
  return new UsageError("invalid-value", `--orchestrations${place}: ${problem}`);
}
