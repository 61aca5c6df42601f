import { Client, status } from "@grpc/grpc-js";
import { GetInstanceRequestSchema } from "../protocol/durabletask_pb.js";
import { writeMessage } from "../protocol/messages.js";
import type { Backend } from "./backend.js";
import { isServiceError, withRetry } from "./call-retry.js";
import { explain } from "./explain.js";
import { unaryCall } from "./unary-call.js";

/** No instance has this id. */
const NO_INSTANCE = "fanout/no-instance";
const DEADLINE_MS = 10_000;
const ATTEMPTS = 10;

/**
 * Asks for an instance that does not exist, which needs the hub and the right to read it. A hub that exists answers "no
 * such instance". Resolves with a doubt if the answer is NOT_FOUND instead, else with undefined. The call is not
 * counted among those of the run.
 * @throws FanoutError, or a ServiceError without an explanation
 */
export async function doubtOfHub(backend: Backend): Promise<string | undefined> {
  const { target, connection } = backend;
  const client = new Client(target.address, target.credentials, target.options);
  try {
    await withRetry(async () => askForNoInstance(client, target), {
      maxAttempts: ATTEMPTS,
      recover: () => backend.recover(),
      explain: (error, attempts) => explain(error, connection, attempts),
      onFailure: () => {},
    });
    return undefined;
  } catch (error) {
    if (!isServiceError(error) || error.code !== status.NOT_FOUND) throw error;
    const isOfInstance = /instance/iu.test(error.details);
    return isOfInstance ? undefined : `GetInstance answers ${doubtText(error.details, connection.taskHub)}`;
  } finally {
    client.close();
  }
}

async function askForNoInstance(client: Client, target: Backend["target"]): Promise<void> {
  const request = writeMessage(GetInstanceRequestSchema, { instanceId: NO_INSTANCE });
  const options = { deadline: Date.now() + DEADLINE_MS };
  const metadata = await target.metadata("client");
  await unaryCall(client, "/TaskHubSidecarService/GetInstance", request, metadata, options);
}

/** The possible meanings of a NOT_FOUND that concerns no instance. */
export function doubtText(details: string, taskHub: string): string {
  const said = details === "" ? "" : ` (${details})`;
  return `NOT_FOUND${said}: there may be no task hub ${taskHub}; check TaskHub= in the connection string, or --task-hub`;
}
