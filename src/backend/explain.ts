import { status } from "@grpc/grpc-js";
import { FanoutError } from "../errors.js";
import { isServiceError } from "./call-retry.js";
import type { Connection } from "./connection-string.js";
import type { Proxy } from "./proxy.js";
import { withoutSecrets } from "../format/secrets.js";
import { otherService, webServer } from "./foreign-server.js";
import { credentialFailure, isCredentialError } from "./credential-failure.js";

const ROLE = '"Durable Task Data Contributor"';

/** Whether a refusal is about the task hub, and not about an instance in it. */
function isAboutHub(details: string): boolean {
  return /task ?hub/iu.test(details) && !/instance/iu.test(details);
}

function noHub({ kind, taskHub }: Connection, details: string, cause: Error): FanoutError {
  // Our own emulator lists its hubs in the error.
  const [problem, hint] =
    kind === "emulator"
      ? [details, "Name one of them with --task-hub, or start the emulator with --task-hubs and this name."]
      : [
          `The backend has no task hub ${taskHub}, or refuses its name.`,
          "Name one that exists with TaskHub= in the connection string or with --task-hub.",
        ];
  return new FanoutError("task-hub-not-found", problem, { hint, cause });
}

/**
 * Translates an error of a call or a connection for a person: what is wrong, and the next step, without secrets.
 * Returns any other error unchanged, such as the NOT_FOUND of an instance, which only the caller understands.
 * `attempts` is the number of times the call was made.
 */
export function explain(error: unknown, connection: Connection, attempts = 1): unknown {
  if (isCredentialError(error) && connection.kind === "endpoint" && connection.authentication.kind !== "None")
    return credentialFailure(error, connection.authentication);

  if (!isServiceError(error))
    return isSystemError(error) ? unreachable(error.message, connection, attempts, error) : error;

  const { code, details } = error;
  const other = webServer(error, endpointOf(connection));
  if (other !== undefined) return other;
  switch (code) {
    case status.UNAVAILABLE:
      return unreachable(details, connection, attempts, error);
    case status.DEADLINE_EXCEEDED:
      return new FanoutError("backend-timeout", "The backend took too long to answer.", {
        hint: `Check ${endpointOf(connection)}, or try again when it has less to do.`,
        cause: error,
      });
    case status.UNAUTHENTICATED:
      return unauthenticated(connection, error);
    case status.PERMISSION_DENIED:
      return new FanoutError(
        "permission-denied",
        `The backend does not let ${identityOf(connection)} use task hub ${connection.taskHub}.`,
        {
          hint: `It needs the role ${ROLE} on the task hub or its scheduler. A role that was just given takes some minutes.`,
          cause: error,
        },
      );
    case status.NOT_FOUND:
    case status.INVALID_ARGUMENT:
      return isAboutHub(details) ? noHub(connection, details, error) : error;
    case status.INTERNAL:
    case status.DATA_LOSS:
      return new FanoutError("backend-failed", `The backend failed: ${details}`, { cause: error });
    default:
      return error;
  }
}

/** As `explain`, for an error of Hello, which also tells whether the server is a backend. */
export function explainHello(error: unknown, connection: Connection, attempts = 1): unknown {
  const explained = explain(error, connection, attempts);
  return isServiceError(explained) ? (otherService(explained, endpointOf(connection)) ?? explained) : explained;
}

function unauthenticated(connection: Connection, cause: Error): FanoutError {
  if (connection.kind === "emulator" || connection.authentication.kind === "None") {
    const problem = "The backend wants a credential, and the connection string has Authentication=None.";
    const hint = "Set Authentication=DefaultAzure, or another kind.";
    return new FanoutError("credential-needed", problem, { hint, cause });
  }
  const { kind } = connection.authentication;
  return new FanoutError("credential-refused", `The backend refused the token of Authentication=${kind}.`, {
    hint:
      `Check that it belongs to the scheduler's tenant, and that its identity has the role ${ROLE} on the task hub or ` +
      "its scheduler. `fanout doctor` shows the token's tenant.",
    cause,
  });
}

/** Patterns in the messages of Node and grpc-js, and the next step for each. The first match counts. */
const REASONS: readonly (readonly [RegExp, (connection: Connection) => string])[] = [
  [
    /ENOTFOUND|EAI_AGAIN|Name resolution failed/u,
    (connection) => `Its host does not resolve: check the spelling of ${endpointOf(connection)}, and the network.`,
  ],
  [
    /does not match certificate's altnames/u,
    (connection) =>
      `Its TLS certificate is for another name than ${endpointOf(connection)} says: use a name of the certificate.`,
  ],
  [
    /certificate has expired|certificate is not yet valid/u,
    () => "Its TLS certificate is not valid today: check this machine's clock, or have the certificate renewed.",
  ],
  [
    /self[- ]signed certificate|unable to (?:verify|get)/u,
    () =>
      "Its TLS certificate is not trusted here: if it is meant to be, name the file of its authority in " +
      "NODE_EXTRA_CA_CERTS, or set NODE_USE_SYSTEM_CA=1 if this system trusts it.",
  ],
  [
    /wrong version number|EPROTO|packet length too long|before secure TLS connection/u,
    (connection) => `There is no TLS at ${endpointOf(connection)}: write http:// for a backend without TLS.`,
  ],
  [
    /no application protocol|agree on HTTP\/2/u,
    (connection) => `There is TLS at ${endpointOf(connection)}, but no HTTP/2: check that the port is the gRPC port.`,
  ],
  [
    /^Received HTTP status code/u,
    () => "A gateway or a proxy in front of it answered: check that the backend runs, and that the gateway reaches it.",
  ],
  [
    /^(?:Failed to connect|Protocol error)/u,
    (connection) =>
      `The server at ${endpointOf(connection)} does not speak gRPC over this protocol: check the port, and whether it ` +
      "needs http:// or https://.",
  ],
];

function unreachable(text: string, connection: Connection, attempts: number, cause: Error): FanoutError {
  const reason = reasonOf(text);
  const proxy = connection.kind === "endpoint" ? connection.proxy : undefined;
  if (proxy !== undefined && !OF_TLS.test(reason)) return unreachableThrough(proxy, connection, attempts, cause);
  const hint =
    REASONS.find(([pattern]) => pattern.test(reason))?.[1](connection) ??
    "Check that it runs, and that the connection string names it.";
  const times = attempts > 1 ? ` (${attempts} attempts)` : "";
  return new FanoutError("backend-unreachable", `The backend does not answer: ${reason}${times}.`, { hint, cause });
}

/** Errors that arise behind the proxy. Any other may be the proxy's. */
const OF_TLS = /certificate|wrong version number|packet length too long|no application protocol/u;

function unreachableThrough(
  { place, source }: Proxy,
  connection: Connection,
  attempts: number,
  cause: Error,
): FanoutError {
  const times = attempts > 1 ? ` (${attempts} attempts)` : "";
  const problem = `The backend does not answer through the proxy of ${source}, ${place}${times}.`;
  const hint =
    `Check that the proxy runs, has the credentials that it wants, and connects to ${endpointOf(connection)}; name the ` +
    "host in NO_PROXY to go past it. `fanout doctor` shows which of them fails.";
  return new FanoutError("backend-unreachable", problem, { hint, cause });
}

/** The reason without the text that grpc-js and OpenSSL add. */
function reasonOf(text: string): string {
  return withoutSecrets(text)
    .replace(/^No connection established\. Last error: (Error: )?/u, "")
    .replace(/\. Resolution note:.*$/su, "")
    .replace(/; if the root CA is installed locally.*$/su, "")
    .replace(/^(?:write EPROTO )?[\dA-F]+:error:[\dA-F]+:([^:]+):[^:]*:([^:]+):.*$/su, "$1: $2")
    .replace(/ \(\d{4}-\d\d-\d\dT[\d:.]+Z\)$/u, "");
}

function endpointOf(connection: Connection): string {
  return connection.kind === "emulator" ? "the embedded emulator" : `Endpoint=${connection.url.origin}`;
}

function identityOf(connection: Connection): string {
  return connection.kind === "emulator" || connection.authentication.kind === "None"
    ? "a caller without a credential"
    : `the identity of Authentication=${connection.authentication.kind}`;
}

const SYSTEM_CODES =
  /^(?:ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPROTO|ERR_(?:TLS|SSL)_\w+|\w*(?:CERT|SIGNATURE)\w*)$/u;

/** Whether it is an error of a connection attempt, or of TLS. */
function isSystemError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && typeof error.code === "string" && SYSTEM_CODES.test(error.code);
}
