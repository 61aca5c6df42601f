import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import { createServer } from "node:tls";
import { startProcess, type BackgroundProcess } from "#background-process";
import { freePort } from "#free-port";

/** What stands before a backend in the cloud: it takes TLS off, and passes on what it finds. */
export interface TlsTerminator {
  readonly process: BackgroundProcess;
  readonly command: string;
  /** Its address, of the form `https://localhost:PORT`. */
  readonly endpoint: string;
  /** By which a client trusts it. */
  readonly environment: { readonly NODE_EXTRA_CA_CERTS: string };
}

const RELAY = import.meta.filename;

/**
 * Starts a terminator before a plaintext HTTP/2 server of 127.0.0.1: haproxy where it is installed, else a relay on
 * node:tls. Keys, configuration and log are written into the folder.
 */
export async function startTlsTerminator(folder: string, backendPort: number): Promise<TlsTerminator> {
  const port = await freePort();
  const pem = path.join(folder, "server.pem");
  const authorityFile = issueCertificate(folder, pem);
  const hasHaproxy = spawnSync("haproxy", ["-v"]).error === undefined;
  const [command, args] = hasHaproxy
    ? ["haproxy", ["-db", "-f", haproxyConfiguration(folder, port, backendPort, pem)]]
    : [process.execPath, [RELAY, String(port), String(backendPort), pem]];
  const terminator = startProcess(path.join(folder, "terminator.log"), command, args);
  await terminator
    .ready(() => accepts(port))
    .catch(async (error: unknown) => {
      await terminator.stop();
      throw error;
    });
  return {
    process: terminator,
    command: hasHaproxy ? "haproxy" : "node:tls",
    endpoint: `https://localhost:${port}`,
    environment: { NODE_EXTRA_CA_CERTS: authorityFile },
  };
}

/** @returns the file that it is written to */
function haproxyConfiguration(folder: string, port: number, backendPort: number, pem: string): string {
  const file = path.join(folder, "haproxy.cfg");
  writeFileSync(
    file,
    `defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen fanout
  bind 127.0.0.1:${port} ssl crt ${pem} alpn h2
  server backend 127.0.0.1:${backendPort}
`,
  );
  return file;
}

/** Whether somebody listens on a TCP port of 127.0.0.1. */
async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const isOpen = await once(socket, "connect").then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isOpen;
}

/** Writes the key and the certificate of `localhost` into one file. @returns the file of the authority's certificate */
function issueCertificate(folder: string, pem: string): string {
  const openssl = (line: string): void => void execFileSync("openssl", line.split(" "), { cwd: folder, stdio: "pipe" });
  openssl("ecparam -name prime256v1 -genkey -noout -out ca.key");
  openssl("req -x509 -new -key ca.key -out ca.pem -days 2 -subj /CN=fanout-bench -addext keyUsage=keyCertSign");
  openssl("ecparam -name prime256v1 -genkey -noout -out server.key");
  openssl("req -new -key server.key -out server.csr -subj /CN=localhost");
  writeFileSync(path.join(folder, "extensions"), "subjectAltName=DNS:localhost\n");
  openssl(
    "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.crt -days 2 -extfile extensions",
  );
  const parts = ["server.crt", "server.key"].map((file) => readFileSync(path.join(folder, file), "utf8"));
  writeFileSync(pem, parts.join(""), { mode: 0o600 });
  return path.join(folder, "ca.pem");
}

function relay(port: number, backendPort: number, pem: string): void {
  const identity = readFileSync(pem);
  createServer({ key: identity, cert: identity, ALPNProtocols: ["h2"] }, (secure) => {
    const backend = connect({ port: backendPort, host: "127.0.0.1", noDelay: true });
    secure.pipe(backend).pipe(secure);
    secure.on("error", () => backend.destroy());
    backend.on("error", () => secure.destroy());
  }).listen(port, "127.0.0.1");
}

const [, script, ...args] = process.argv;
if (script === RELAY) relay(Number(args[0]), Number(args[1]), args[2]!);
