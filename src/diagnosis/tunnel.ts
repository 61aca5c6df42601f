import { request, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { placeOf, type Proxy } from "../backend/proxy.js";
import { FanoutError } from "../errors.js";
import type { Address } from "./endpoint-probe.js";

const PATIENCE_MS = 10_000;

/**
 * Asks a proxy for a connection to the address. Rejects with a FanoutError if the proxy refuses, and with the system's
 * error if it cannot be reached.
 */
export async function openTunnel(proxy: Proxy, { host, port }: Address): Promise<Socket> {
  const target = placeOf(host, port);
  const authorization =
    proxy.credentials === undefined ? {} : { "proxy-authorization": `Basic ${btoaUtf8(proxy.credentials)}` };
  const connect = request({
    host: proxy.host,
    port: proxy.port,
    method: "CONNECT",
    path: target,
    headers: { host: target, ...authorization },
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  connect.on("connect", ({ statusCode = 0 }: IncomingMessage, socket: Socket) => {
    if (statusCode === 200) return resolve(socket);
    socket.destroy();
    reject(refusal(statusCode, proxy, target));
  });
  connect.on("error", (error) => reject(error));
  connect.end();
  return promise;
}

function refusal(statusCode: number, { source, credentials }: Proxy, target: string): FanoutError {
  if (statusCode === 407) {
    const wanted = credentials === undefined ? "wants credentials" : `refuses the credentials of ${source}`;
    return new FanoutError("backend-unreachable", `The proxy ${wanted} (407).`, {
      hint: `Set them in ${source}=http://USER:PASSWORD@HOST:PORT.`,
    });
  }
  return new FanoutError("backend-unreachable", `The proxy does not connect to ${target} (${statusCode}).`, {
    hint: "Allow it there, check the spelling of the host, or name the host in NO_PROXY if it needs no proxy.",
  });
}

function btoaUtf8(text: string): string {
  return Buffer.from(text).toString("base64");
}
