import { spawnSync } from "node:child_process";
import type { Place } from "#engine";
import { freePort } from "#free-port";
import type { PeerServer } from "#peer-engine";

const PROGRAM = "redis-server";

export function redisMissing(): string | undefined {
  return version() === undefined ? "there is no redis-server; on Debian: apt-get install redis-server" : undefined;
}

/** Redis that writes every command to its log with an fsync, before it answers. */
export async function startRedis(place: Place): Promise<PeerServer> {
  const port = String(await freePort());
  const settings = {
    port,
    bind: "127.0.0.1",
    dir: place.folder,
    appendonly: "yes",
    appendfsync: "always",
    save: "",
    "maxmemory-policy": "noeviction",
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const server = place.startServer("redis", PROGRAM, args, { folder: place.folder });
  await server
    .ready(() => server.output().includes("Ready to accept connections"))
    .catch(async (error: unknown) => {
      await server.stop();
      throw error;
    });
  return { process: server, environment: { REDIS_PORT: port }, version: `Redis ${version()}` };
}

function version(): string | undefined {
  const { stdout } = spawnSync(PROGRAM, ["--version"], { encoding: "utf8" });
  return /v=(\S+)/u.exec(stdout ?? "")?.[1];
}
