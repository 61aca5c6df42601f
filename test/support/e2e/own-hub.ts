import { freePort } from "../backend/free-port.js";
import type { FanoutProcess } from "./fanout-process.js";
import type { Workplace } from "./workplace.js";

export interface OwnHub {
  readonly emulator: FanoutProcess;
  /** Starts another emulator at its port. */
  readonly start: () => Promise<FanoutProcess>;
  readonly connection: string;
}

/** A backend of its own at a port, and a worker on it. */
export async function openOwnHub(place: Workplace): Promise<OwnHub> {
  const port = await freePort();
  const start = async (): Promise<FanoutProcess> => {
    const emulator = place.start(`emulator --port ${port} --task-hubs hub`);
    await emulator.says(/Ctrl-C stops/u);
    return emulator;
  };
  const connection = `Endpoint=http://127.0.0.1:${port};Authentication=None;TaskHub=hub`;
  const emulator = await start();
  const worker = place.start("worker --port 0 --connection-string", connection);
  await worker.says(/Connected to/u);
  return { emulator, start, connection };
}
