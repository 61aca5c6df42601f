import { readFileSync, readdirSync, readlinkSync } from "node:fs";

/** What /proc counts processor time in; the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const SAMPLE_MS = 250;

interface Ticks {
  readonly parent: number;
  readonly own: number;
  /** Of the children that have ended and were waited for, and theirs. */
  readonly ended: number;
}

/** The fields of `/proc/PID/stat` that tell of time; the name before them may hold spaces and brackets. */
export function parseStat(text: string): Ticks {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const field = (number: number): number => Number(fields[number - 3]);
  return { parent: field(4), own: field(14) + field(15), ended: field(16) + field(17) };
}

/**
 * User and system seconds of the processes, of all that descend from them, and of those of their descendants that have
 * ended. A process that ends stays in the sum, as long as its parent lives.
 */
export function cpuSeconds(roots: readonly number[]): number {
  return familyOf(roots).reduce((sum, { ticks }) => sum + ticks.own + ticks.ended, 0) / TICKS_PER_SECOND;
}

/** Seconds of the children of this very process that have ended. */
export function endedChildrenCpuSeconds(): number {
  return (statOf(process.pid)?.ended ?? 0) / TICKS_PER_SECOND;
}

/**
 * Resident memory of the processes and their descendants, in bytes: what is private to each, and once for each program
 * what its processes share (its code, PostgreSQL's buffers).
 */
export function residentBytes(roots: readonly number[]): number {
  let privateKb = 0;
  const sharedKb = new Map<string, number>();
  for (const { pid } of familyOf(roots)) {
    const status = readOrNothing(`/proc/${pid}/status`);
    const kb = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+)`, "mu").exec(status)?.[1] ?? 0);
    const program = programOf(pid);
    privateKb += kb("RssAnon");
    sharedKb.set(program, Math.max(sharedKb.get(program) ?? 0, kb("RssFile") + kb("RssShmem")));
  }
  return (privateKb + [...sharedKb.values()].reduce((sum, one) => sum + one, 0)) * 1_024;
}

export interface MemorySampler {
  /** The most that was seen so far. */
  peakBytes(): number;
  stop(): void;
}

/**
 * Looks at the memory of processes four times a second, until it is stopped.
 * @param pids asked again at each look, as processes come and go
 */
export function sampleMemory(pids: () => readonly number[]): MemorySampler {
  let peak = 0;
  const look = (): void => void (peak = Math.max(peak, residentBytes(pids())));
  look();
  const timer = setInterval(look, SAMPLE_MS);
  return { peakBytes: () => peak, stop: () => clearInterval(timer) };
}

interface Process {
  readonly pid: number;
  readonly ticks: Ticks;
}

function familyOf(roots: readonly number[]): readonly Process[] {
  const all = new Map<number, Process[]>();
  const family: Process[] = [];
  for (const pid of readdirSync("/proc").map(Number)) {
    const ticks = Number.isInteger(pid) ? statOf(pid) : undefined;
    if (ticks === undefined) continue;
    const process = { pid, ticks };
    if (roots.includes(pid)) family.push(process);
    all.set(ticks.parent, [...(all.get(ticks.parent) ?? []), process]);
  }
  // It grows while it is walked: the children of each go to its end.
  for (const { pid } of family) family.push(...(all.get(pid) ?? []).filter((child) => !roots.includes(child.pid)));
  return family;
}

function statOf(pid: number): Ticks | undefined {
  const text = readOrNothing(`/proc/${pid}/stat`);
  return text === "" ? undefined : parseStat(text);
}

function programOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return String(pid);
  }
}

/** A process may end between two looks at it. */
function readOrNothing(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
