import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import { startProcess } from "#background-process";
import type { Engine, Place, RunningEngine } from "#engine";
import { callsIn, makeCountFile, type SlowCommits } from "#slow-commits";

/** An engine as it takes part: as it is, or with slowed commits. */
export interface Contender {
  readonly engine: Engine;
  readonly slow?: SlowCommits;
}

export interface StartedContender {
  readonly running: RunningEngine;
  /** How many of its commits have been slowed so far; undefined where none are. */
  readonly slowedCommits: () => number | undefined;
  /** Ends it and deletes what it had. */
  stop(): Promise<void>;
}

/** `restate`, or `restate+5ms` with slowed commits. */
export function nameOf({ engine, slow }: Contender): string {
  return slow === undefined ? engine.name : `${engine.name}+${slow.milliseconds}ms`;
}

/** Starts it in a new folder below the scratch folder. */
export async function startContender({ engine, slow }: Contender, scratch: string): Promise<StartedContender> {
  // Short names: the path of a Unix socket has little room.
  const folder = mkdtempSync(path.join(scratch, "e"));
  const logs = path.join(folder, "logs");
  const counts = path.join(folder, "commits");
  const data = path.join(folder, "data");
  mkdirSync(logs);
  mkdirSync(data);
  makeCountFile(counts);
  // A server may run as another user, who has to get to his own folder.
  chmodSync(folder, 0o711);
  const place: Place = {
    folder: data,
    startServer(name, command, args, options) {
      const [program, words] = slow?.wrap(counts, command, args) ?? [command, args];
      return startProcess(path.join(logs, `${name}.log`), program, words, options);
    },
  };
  try {
    const running = await engine.start(place);
    return {
      running,
      slowedCommits: () => (slow === undefined ? undefined : callsIn(counts)),
      async stop() {
        await running.stop();
        rmSync(folder, { recursive: true });
      },
    };
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
}
