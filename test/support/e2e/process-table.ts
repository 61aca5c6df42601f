/** Processes as Linux shows them under /proc; elsewhere there are none to be seen. */
import { existsSync, readFileSync, readdirSync } from "node:fs";

export const canSeeProcesses = existsSync("/proc/self/environ");

/** Processes whose environment names this folder or something in it. */
export function processesOf(folder: string): readonly number[] {
  return pids().filter((pid) => fileOf(pid, "environ").includes(`=${folder}/`));
}

/** Those of them that run this module. */
export function entriesOf(folder: string, entry: string): readonly number[] {
  return processesOf(folder).filter((pid) => fileOf(pid, "cmdline").includes(entry));
}

/** The emulator in the background whose state is in a folder; undefined while there is none. */
export function emulatorOf(stateFolder: string): number | undefined {
  return pids().find(
    (pid) =>
      fileOf(pid, "environ").includes(`=${stateFolder}\0`) &&
      fileOf(pid, "cmdline").includes("/emulator/process/main.js"),
  );
}

/** Worker processes that this process has started. */
export function workersOf(pid: number): readonly number[] {
  return childrenOf(pid, "/worker/main.js");
}

/** Generator processes that this process has started. */
export function generatorsOf(pid: number): readonly number[] {
  return childrenOf(pid, "/generators/main.js");
}

/** Processes of runs that this server has started. */
export function servedRunsOf(pid: number): readonly number[] {
  return childrenOf(pid, "/commands/served-run.js");
}

function childrenOf(pid: number, entry: string): readonly number[] {
  return pids().filter((child) => parentOf(child) === pid && fileOf(child, "cmdline").includes(entry));
}

function pids(): readonly number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/u.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)$/mu.exec(fileOf(pid, "status"))?.[1] ?? "0");
}

/** Empty for a process that has gone, or is not ours to look at. */
function fileOf(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}
