import {
  Server,
  ServerCredentials,
  type status,
  type Metadata,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from "@grpc/grpc-js";
import type { Identity } from "./certificates.js";

export interface Call {
  readonly method: string;
  readonly metadata: Metadata;
}

export interface Refusal {
  readonly code: status;
  readonly details: string;
}

const UNARY = ["Hello", "StartInstance", "GetInstance", "WaitForInstanceCompletion", "QueryInstances"] as const;

const bytes = (buffer: Buffer): Buffer => buffer;
const methodOf = (name: string, responseStream: boolean) => ({
  path: `/TaskHubSidecarService/${name}`,
  requestStream: false,
  responseStream,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
});

/** A real gRPC server that stands for a Scheduler: it remembers each call, and answers nothing or a refusal. */
export class SchedulerServer {
  readonly calls: Call[] = [];
  refuse: (call: Call) => Refusal | undefined = () => undefined;
  readonly #server = new Server();

  private constructor(readonly port: number) {}

  /** With TLS if there is an identity. */
  static async start(identity?: Identity, port = 0): Promise<SchedulerServer> {
    const started = new SchedulerServer(port);
    started.#addMethods();
    const credentials =
      identity === undefined
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(null, [{ private_key: identity.key, cert_chain: identity.certificate }]);
    const bound = await new Promise<number>((resolve, reject) => {
      started.#server.bindAsync(`localhost:${port}`, credentials, (error, number) =>
        error === null ? resolve(number) : reject(error),
      );
    });
    return Object.assign(started, { port: bound });
  }

  /** The values of one field of the metadata, call by call. */
  sent(key: string): string[][] {
    return this.calls.map(({ metadata }) => metadata.get(key).map(String));
  }

  close(): void {
    this.#server.forceShutdown();
  }

  #addMethods(): void {
    const handlers = UNARY.map((method) => [method, this.#unary(method)] as const);
    this.#server.addService(
      {
        GetWorkItems: methodOf("GetWorkItems", true),
        ...Object.fromEntries(UNARY.map((method) => [method, methodOf(method, false)])),
      },
      {
        GetWorkItems: (stream: ServerWritableStream<Buffer, Buffer>) => {
          this.calls.push({ method: "GetWorkItems", metadata: stream.metadata });
          stream.sendMetadata(stream.metadata);
        },
        ...Object.fromEntries(handlers),
      },
    );
  }

  #unary(method: string) {
    return ({ metadata }: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void => {
      const call: Call = { method, metadata };
      this.calls.push(call);
      answer(this.refuse(call) ?? null, Buffer.alloc(0));
    };
  }
}
