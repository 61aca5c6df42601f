import { checkServerIdentity, createSecureContext } from "node:tls";
import { isIP } from "node:net";
import {
  credentials,
  logVerbosity,
  setLogVerbosity,
  type ChannelCredentials,
  type ChannelOptions,
} from "@grpc/grpc-js";
import type { GrpcTarget } from "./grpc-target.js";
import { channelOptions } from "./channel-options.js";
import type { EndpointConnection } from "./connection-string.js";
import type { Proxy } from "./proxy.js";

/** A name for TLS where the endpoint has none: an IP address may not be one (RFC 6066), and Node warns of it. */
const NAME_OF_ADDRESS = "localhost";

/** How gRPC reaches an endpoint. */
export function endpointTarget({
  url,
  proxy,
}: EndpointConnection): Pick<GrpcTarget, "address" | "isSecure" | "credentials" | "options"> {
  const isSecure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[(.*)\]$/u, "$1");
  const address = `${url.hostname}:${url.port || (isSecure ? 443 : 80)}`;
  return {
    address: proxy?.place ?? address,
    isSecure,
    credentials: isSecure ? tlsCredentials(host) : credentials.createInsecure(),
    options: {
      ...channelOptions("scheduler"),
      ...(isSecure && nameOption(host)),
      ...(proxy && proxyOptions(proxy, address)),
    },
  };
}

/** What grpc-js makes of a proxy that it has found by itself: it knows some of the variables, and small letters only. */
function proxyOptions({ credentials: known }: Proxy, address: string): ChannelOptions {
  // It would print a line for each attempt that fails; what is wrong is told in the end.
  setLogVerbosity(logVerbosity.NONE);
  return {
    "grpc.http_connect_target": `dns:${address}`,
    "grpc.default_authority": address,
    ...(known !== undefined && { "grpc.http_connect_creds": known }),
  };
}

/** Node's own trust, as the sign-in has it: grpc-js would let a variable of gRPC take its place. */
function tlsCredentials(host: string): ChannelCredentials {
  const context = createSecureContext();
  if (isIP(host) === 0) return credentials.createFromSecureContext(context);
  return credentials.createFromSecureContext(context, {
    checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
  });
}

function nameOption(host: string): ChannelOptions {
  return isIP(host) === 0 ? {} : { "grpc.ssl_target_name_override": NAME_OF_ADDRESS };
}
