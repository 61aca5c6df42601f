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

/** The TLS server name for an IP address, which may not be one (RFC 6066). Node warns of it. */
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

/** The options that grpc-js derives from a proxy. grpc-js itself knows only some of the variables, in small letters. */
function proxyOptions({ credentials: known }: Proxy, address: string): ChannelOptions {
  // grpc-js would print a line for each failed attempt.
  setLogVerbosity(logVerbosity.NONE);
  return {
    "grpc.http_connect_target": `dns:${address}`,
    "grpc.default_authority": address,
    ...(known !== undefined && { "grpc.http_connect_creds": known }),
  };
}

/** The trust of Node, as the sign-in uses it. Otherwise a variable of gRPC could replace it. */
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
