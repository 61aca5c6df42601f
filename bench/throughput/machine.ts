import { closeSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import path from "node:path";
import { spreadOf } from "#spread";

const TMPFS_MAGIC = 0x01_02_19_94;
const SYNCS = 50;

/** What figures depend on beside the engines. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  /** Median time of a write of 4 KiB with its fsync, in the scratch folder. */
  readonly fsyncMs: number;
  /** Processes that wanted to run in the minute before: more than none is somebody else's work. */
  readonly load: number;
  /** The scratch folder is in memory: an fsync there costs nothing, and no figure is that of a durable engine. */
  readonly scratchInMemory: boolean;
}

export function describeMachine(scratch: string): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryBytes: totalmem(),
    system: `${process.platform} ${release()} ${process.arch}`,
    node: process.versions.node,
    fsyncMs: fsyncMs(path.join(scratch, "probe")),
    load: loadavg()[0]!,
    scratchInMemory: statfsSync(scratch).type === TMPFS_MAGIC,
  };
}

function fsyncMs(file: string): number {
  const descriptor = openSync(file, "w");
  const block = Buffer.alloc(4_096, 1);
  const times = Array.from({ length: SYNCS }, () => {
    const startedMs = performance.now();
    writeSync(descriptor, block);
    fsyncSync(descriptor);
    return performance.now() - startedMs;
  });
  closeSync(descriptor);
  rmSync(file);
  return spreadOf(times).median;
}
