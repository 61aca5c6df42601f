import { execFileSync, spawnSync } from "node:child_process";
import { chownSync, existsSync, globSync } from "node:fs";
import path from "node:path";
import type { Place } from "#engine";
import { freePort } from "#free-port";
import type { PeerServer } from "#peer-engine";

/** PostgreSQL refuses to run as root; Debian's packages make this user. */
const USER = "postgres";

export function postgresMissing(): string | undefined {
  if (binaries() === undefined) return "there is no PostgreSQL; on Debian: apt-get install postgresql";
  if (process.getuid?.() === 0 && idOf("-u") === undefined) return `as root it needs a user called ${USER}`;
  return undefined;
}

/** A cluster of its own with default settings: fsync=on, synchronous_commit=on. */
export async function startPostgres(place: Place): Promise<PeerServer> {
  const bin = binaries()!;
  const data = path.join(place.folder, "data");
  const user = serverUser();
  if (user !== undefined) chownSync(place.folder, user.uid, user.gid);
  const initdb = ["-D", data, "-U", USER, "-A", "trust", "-E", "UTF8"];
  execFileSync(path.join(bin, "initdb"), initdb, { ...user, cwd: place.folder, stdio: "ignore" });
  const port = await freePort();
  const args = ["-D", data, "-p", String(port), "-k", place.folder, "-c", "max_connections=200"];
  const server = place.startServer("postgres", path.join(bin, "postgres"), args, {
    folder: place.folder,
    stopSignal: "SIGINT",
    ...(user !== undefined && { user }),
  });
  const probe = ["-h", "127.0.0.1", "-p", String(port), "-q"];
  await server
    .ready(() => spawnSync(path.join(bin, "pg_isready"), probe).status === 0)
    .catch(async (error: unknown) => {
      await server.stop();
      throw error;
    });
  const version = execFileSync(path.join(bin, "postgres"), ["--version"], { encoding: "utf8" });
  return {
    process: server,
    environment: { POSTGRES_URL: `postgresql://${USER}@127.0.0.1:${port}/dbos_sys` },
    version: `PostgreSQL ${/\d+(\.\d+)*/u.exec(version)?.[0]}`,
  };
}

/** The newest of Debian's folders, or the one of the PATH. */
function binaries(): string | undefined {
  const debian = globSync("/usr/lib/postgresql/*/bin").toSorted((a, b) => majorOf(a) - majorOf(b));
  const folders = [...debian.toReversed(), ...(process.env["PATH"] ?? "").split(path.delimiter)];
  return folders.find((folder) => existsSync(path.join(folder, "initdb")));
}

function majorOf(folder: string): number {
  return Number(path.basename(path.dirname(folder)));
}

function serverUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return { uid: idOf("-u")!, gid: idOf("-g")! };
}

function idOf(which: "-u" | "-g"): number | undefined {
  const { status, stdout } = spawnSync("id", [which, USER], { encoding: "utf8" });
  return status === 0 ? Number(stdout) : undefined;
}
