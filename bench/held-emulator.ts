/** The emulator of `dispatch.ts`: its argument is the most that an episode waits, milliseconds. Says when it listens. */
import { runEmulator } from "../dist/emulator/process/run-emulator.js";
import { openStateFolder } from "../dist/protocol/state-folder.js";
import { FANOUT_VERSION } from "../dist/version.js";

const [mostHoldMs] = process.argv.slice(2).map(Number);
await runEmulator({
  state: openStateFolder(),
  version: FANOUT_VERSION,
  port: undefined,
  idleMs: undefined,
  mostHoldMs,
});
console.log("listening");
