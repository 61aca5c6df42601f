import { existsSync } from "node:fs";
import path from "node:path";
import type { Place } from "#engine";
import { freePort } from "#free-port";
import type { PeerServer } from "#peer-engine";

const VERSION = "@restatedev/restate-server";

export function restateMissing(): string | undefined {
  return existsSync(program()) ? undefined : `${VERSION} has no program for ${process.platform} ${process.arch}`;
}

/** The native server with its defaults, but for the number of partitions. */
export async function startRestateServer(place: Place, partitions: number): Promise<PeerServer> {
  const [ingress, admin, node] = [await freePort(), await freePort(), await freePort()];
  const server = place.startServer("restate", program(), ["--base-dir", path.join(place.folder, "data"), "--no-logo"], {
    folder: place.folder,
    env: {
      ...process.env,
      RESTATE_DEFAULT_NUM_PARTITIONS: String(partitions),
      RESTATE_DISABLE_TELEMETRY: "true",
      RESTATE_LOG_FILTER: "warn",
      RESTATE_LISTEN_MODE: "tcp",
      RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
      RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
      RESTATE_BIND_ADDRESS: `127.0.0.1:${node}`,
    },
  });
  await server
    .ready(async () => (await healthy(`${url(admin)}/health`)) && (await healthy(`${url(ingress)}/restate/health`)))
    .catch(async (error: unknown) => {
      await server.stop();
      throw error;
    });
  return {
    process: server,
    environment: { RESTATE_INGRESS_URL: url(ingress), RESTATE_ADMIN_URL: url(admin) },
  };
}

function program(): string {
  const name = `restate-server-${process.platform}-${process.arch}`;
  return path.join(import.meta.dirname, "../node_modules/@restatedev", name, "bin/restate-server");
}

function url(port: number): string {
  return `http://127.0.0.1:${port}`;
}

async function healthy(address: string): Promise<boolean> {
  return fetch(address).then(
    ({ ok }) => ok,
    () => false,
  );
}
