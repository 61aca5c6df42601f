import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { canMoveClock } from "../support/movable-clock.js";
import type { FaultKind, KindName } from "./plan.js";
import type { Stage } from "./stage.js";

type FaultOf<K extends KindName> = Extract<FaultKind, { kind: K }>;

/** How long the moment of a kill may take to come: then it is any. */
const MOMENT_MS = 1_000;

/** How each kind of fault is done to the processes of a seed. Resolves when it is over. */
const INFLICT: { readonly [K in KindName]: (stage: Stage, fault: FaultOf<K>) => Promise<void> } = {
  killEmulator: (stage, { downMs }) =>
    stage.inTurn("emulator", async () => {
      await stage.kill(stage.emulator);
      await setTimeout(downMs);
      await stage.startEmulator();
    }),

  killAtCommit: (stage, { of, nth }) =>
    stage.inTurn("emulator", async () => {
      const { emulator } = stage;
      stage.expectEnd(emulator);
      stage.order({ trap: { of, nth, effect: "kill" } });
      const late = Promise.race([setTimeout(MOMENT_MS), stage.clientDone]).then(() => false);
      const came = await Promise.race([emulator.ended.then(() => true), late]);
      stage.say(came ? `it was killed behind its commit of ${of}` : `there were not ${nth} commits of ${of}`);
      await stage.kill(emulator);
      await stage.startEmulator();
    }),

  refuseCommit: async (stage, { of, nth }) => {
    await stage.emulatorRuns();
    stage.order({ trap: { of, nth, effect: "refuse" } });
  },

  lockDatabase: (stage) =>
    stage.inTurn("emulator", async () => {
      await stage.kill(stage.emulator);
      const database = new DatabaseSync(join(stage.folder, "emulator.db"));
      database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
      const started = await stage.tryEmulator();
      database.close();
      const { child, said } = stage.emulator;
      if (started || child.exitCode !== 1 || said.length !== 1 || !said[0]!.includes("locked"))
        stage.failures.push(`on a locked database the emulator ended with ${child.exitCode}, saying ${said.join("|")}`);

      await stage.startEmulator();
    }),

  stopEmulator: async (stage, { forMs }) => {
    const { child } = stage.emulator;
    child.kill("SIGSTOP");
    await setTimeout(forMs);
    child.kill("SIGCONT");
  },

  killWorker: (stage, { worker }) =>
    stage.inTurn("worker", async () => {
      await stage.kill(stage.worker(worker));
      await stage.startWorker(worker);
    }),

  stopWorker: async (stage, { worker, forMs }) => {
    const { child } = stage.worker(worker);
    child.kill("SIGSTOP");
    await setTimeout(forMs);
    child.kill("SIGCONT");
  },

  killClient: (stage) =>
    stage.inTurn("client", async () => {
      const { client } = stage;
      // It may have come to its end.
      if (client.child.exitCode === null) {
        await stage.kill(client);
        await stage.startClient();
      }
    }),

  cut: async (stage, { whose, direction, bytes }) => {
    stage.proxies[whose].cutAfter(bytes, direction);
  },

  fillDisk: async (stage, { forMs }) => {
    await stage.emulatorRuns();
    stage.order({ full: true });
    await setTimeout(forMs);
    stage.order({ full: false });
  },

  limitFiles: async (stage, { part, forMs }) => {
    await stage.emulatorRuns();
    const { child } = stage.emulator;
    const log = statSync(join(stage.folder, "emulator.db-wal"), { throwIfNoEntry: false });
    limitFiles(child.pid, String(Math.round((log?.size ?? 0) * part)));
    await setTimeout(forMs);
    limitFiles(child.pid, "unlimited");
  },

  moveClock: async (stage, { bySeconds, thenRestart }) => {
    stage.clock?.moveTo(bySeconds);
    if (thenRestart) await INFLICT.killEmulator(stage, { kind: "killEmulator", downMs: 0 });
  },
};

export function inflict(stage: Stage, fault: FaultKind): Promise<void> {
  return INFLICT[fault.kind](stage, fault as never);
}

/** The kinds of faults that this machine has no means for, and why. */
export function lackingFaults(): ReadonlyMap<KindName, string> {
  const lacking = new Map<KindName, string>();
  if (!canMoveClock) lacking.set("moveClock", "libfaketime is not installed (Debian's package libfaketime)");
  if (!canLimitFiles()) lacking.set("limitFiles", "there is no prlimit");
  return lacking;
}

/** The soft limit of what a process may make its files: the hard one stays, so that it can be lifted. */
function limitFiles(pid: number | undefined, bytes: string): void {
  try {
    execFileSync("prlimit", [`--pid=${pid}`, `--fsize=${bytes}:`], { stdio: "ignore" });
  } catch {
    // It was killed a moment ago.
  }
}

function canLimitFiles(): boolean {
  try {
    execFileSync("prlimit", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
