import { EMPTY_BYTES } from "../protocol/empty-bytes.js";
import { Client, type Metadata, type ServiceError } from "@grpc/grpc-js";
import { emulatorVersionOf } from "../protocol/server-name.js";
import type { Backend } from "./backend.js";
import type { GrpcTarget } from "./grpc-target.js";
import { withRetry } from "./call-retry.js";
import { explainHello } from "./explain.js";
import { toldError } from "./grpc-error.js";
import { asIs } from "./unary-call.js";

const DEADLINE_MS = 10_000;
/** The same number as for other calls on a remote backend. */
const ATTEMPTS = 10;
const HELLO = "/TaskHubSidecarService/Hello";

export interface Greeting {
  /** The version, if it is an emulator of fanout. */
  readonly emulatorVersion: string | undefined;
}

/**
 * Says Hello to a remote backend.
 * @throws FanoutError that describes the server if it is no backend
 */
export async function greet(backend: Backend): Promise<Greeting> {
  const { target, connection } = backend;
  const client = new Client(target.address, target.credentials, target.options);
  try {
    const headers = await withRetry(() => hello(client, target), {
      maxAttempts: ATTEMPTS,
      recover: () => backend.recover(),
      explain: (error, attempts) => explainHello(error, connection, attempts),
      onFailure: () => {},
    });
    return { emulatorVersion: emulatorVersionOf(String(headers?.get("server")[0] ?? "")) };
  } finally {
    client.close();
  }
}

/** Makes one Hello, the cheapest call. Resolves with the headers of the answer. Rejects with a ServiceError. */
export async function hello(client: Client, target: GrpcTarget): Promise<Metadata | undefined> {
  const metadata = await target.metadata("client");
  let headers: Metadata | undefined;
  await new Promise<void>((resolve, reject) => {
    const done = (error: ServiceError | null): void => {
      if (error === null) resolve();
      else reject(toldError(error, headers));
    };
    const deadline = Date.now() + DEADLINE_MS;
    client
      .makeUnaryRequest(HELLO, asIs, asIs, EMPTY_BYTES, metadata, { deadline }, done)
      .on("metadata", (received: Metadata) => (headers = received));
  });
  return headers;
}
