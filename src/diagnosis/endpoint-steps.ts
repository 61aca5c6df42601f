import type { Backend } from "../backend/backend.js";
import type { EndpointConnection } from "../backend/connection-string.js";
import { explain } from "../backend/explain.js";
import { greet } from "../backend/greeting.js";
import { openBackend, type OpenOptions } from "../backend/open-backend.js";
import type { Proxy } from "../backend/proxy.js";
import { plural } from "../format/count.js";
import { addressOf, probeTcp, probeTls, resolveHost, type Address } from "./endpoint-probe.js";
import { check, type Finding, type Found } from "./finding.js";
import { claimsOf } from "./token-claims.js";
import { openTunnel } from "./tunnel.js";

type Lines<T> = AsyncGenerator<Finding, T>;
/** Explains errors as errors of the connection. */
type Explained = <T>(look: () => Promise<Found<T>>) => Promise<Found<T>>;

/** Checks everything between this machine and a remote backend that answers Hello. */
export async function* lookAtEndpoint(
  connection: EndpointConnection | undefined,
  options: OpenOptions,
): Lines<Backend | undefined> {
  const address = connection && addressOf(connection);
  const explained: Explained = (look) => look().catch((error: unknown) => rethrow(error, connection));
  const proxy = connection?.proxy;
  const connected = yield* proxy === undefined ? lookAtWay(address, explained) : lookAtProxy(address, proxy, explained);
  const secured = yield* check("TLS", connected, (given) =>
    explained(async () => {
      if (connection?.url.protocol === "http:") return { detail: "not needed: the endpoint is http", value: given };

      const { version, subject, daysLeft } = await probeTls(given, proxy && (await openTunnel(proxy, given)));
      return {
        detail: `${version}, certificate of ${subject}, valid for ${plural(daysLeft, "more day")}`,
        value: given,
      };
    }),
  );
  const backend = yield* check("token", secured && connection, (given) => lookAtToken(given, options));
  const greeted = yield* check("service", backend, lookAtService);
  if (greeted === undefined) backend?.close();
  return greeted;
}

async function* lookAtWay(address: Address | undefined, explained: Explained): Lines<Address | undefined> {
  const resolved = yield* check("host", address, (given) =>
    explained(async () => ({
      detail: `${given.host} resolves to ${(await resolveHost(given)).join(", ")}`,
      value: given,
    })),
  );
  return yield* check("connection", resolved, (given) =>
    explained(async () => ({ detail: `${await probeTcp(given)} answers`, value: given })),
  );
}

/** The proxy resolves the host of the endpoint. */
async function* lookAtProxy(
  address: Address | undefined,
  proxy: Proxy,
  explained: Explained,
): Lines<Address | undefined> {
  const reached = yield* check("proxy", address, (given) =>
    explained(async () => ({
      detail: `${proxy.place} of ${proxy.source} answers at ${await probeTcp(proxy)}; NO_PROXY does not name ${given.host}`,
      value: given,
    })),
  );
  return yield* check("connection", reached, (given) =>
    explained(async () => {
      (await openTunnel(proxy, given)).destroy();
      return { detail: `the proxy connects to ${given.host}:${given.port}`, value: given };
    }),
  );
}

async function lookAtService(backend: Backend): Promise<Found<Backend>> {
  const { emulatorVersion } = await greet(backend);
  const detail = emulatorVersion === undefined ? "answers Hello" : `is a fanout emulator, version ${emulatorVersion}`;
  return { detail: `${backend.displayName} ${detail}`, value: backend };
}

async function lookAtToken(connection: EndpointConnection, options: OpenOptions): Promise<Found<Backend>> {
  const backend = await openBackend(connection, options);
  const { kind } = connection.authentication;
  if (kind === "None") return { detail: "not needed: Authentication=None", value: backend };

  const [header = ""] = (await backend.target.metadata("client")).get("authorization");
  const { tenantId, expiresAtMs } = claimsOf(String(header));
  const tenant = tenantId === undefined ? "an unknown tenant" : `tenant ${tenantId}`;
  const expiry = expiresAtMs === undefined ? "" : `, expires at ${new Date(expiresAtMs).toISOString()}`;
  return { detail: `Authentication=${kind}, ${tenant}${expiry}`, value: backend };
}

function rethrow(error: unknown, connection: EndpointConnection | undefined): never {
  throw connection === undefined ? error : explain(error, connection);
}
