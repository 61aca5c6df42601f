import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import type { Place } from "#engine";
import { freePort } from "#free-port";
import type { PeerServer } from "#peer-engine";

/** Where `go install` puts it. */
const PROGRAM = "temporal";
const INSTALL = "go install github.com/temporalio/cli/cmd/temporal@v1.3.0";

export function temporalMissing(): string | undefined {
  return program() === undefined ? `temporal is not installed: ${INSTALL}` : undefined;
}

/** Its development server, with its state in a SQLite file. */
export async function startTemporalServer(place: Place): Promise<PeerServer> {
  const port = await freePort();
  const file = path.join(place.folder, "temporal.db");
  const args = ["server", "start-dev", "--headless", "--port", String(port), "--db-filename", file];
  const server = place.startServer("temporal", program()!, [...args, "--log-level", "error"], { folder: place.folder });
  await server
    .ready(() => listens(port))
    .catch(async (error: unknown) => {
      await server.stop();
      throw error;
    });
  return {
    process: server,
    environment: { TEMPORAL_ADDRESS: `127.0.0.1:${port}` },
    version: execFileSync(program()!, ["--version"], { encoding: "utf8" }).trim(),
  };
}

function program(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter);
  const home = process.env["GOBIN"] ?? path.join(process.env["HOME"] ?? "", "go/bin");
  return [home, ...folders].map((folder) => path.join(folder, PROGRAM)).find((file) => existsSync(file));
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true)).once("error", () => resolve(false));
    socket.once("close", () => socket.destroy());
    socket.once("connect", () => socket.end());
  });
}
