import {
  Server,
  ServerCredentials,
  type status,
  type MethodDefinition,
  type ServerUnaryCall,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { StringValue, pb } from "../../../src/protocol/sidecar-stubs.js";
import { freePort } from "../backend/free-port.js";

const bytes = (buffer: Buffer): Buffer => buffer;

function unary(method: string): MethodDefinition<Buffer, Buffer> {
  return {
    path: `/TaskHubSidecarService/${method}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
}

/**
 * A real gRPC server that has StartInstance and GetInstance and nothing else. It accepts a start unless `refuse`
 * names a status for it, and leaves it unanswered where that is "never".
 */
export class BrokenBackend {
  readonly started: string[] = [];
  /** Given how many starts have come before. */
  refuse: (sequence: number) => status | "never" | undefined = () => undefined;
  /** Of GetInstance, which is left unanswered where it is "never". */
  getStatus: status | "never" | undefined;
  /** Each instance that was started has it. */
  output = "{}";
  outstanding = 0;
  mostOutstanding = 0;
  #starts = 0;
  readonly #server = new Server();

  private constructor(readonly port: number) {}

  static async start(): Promise<BrokenBackend> {
    const backend = new BrokenBackend(await freePort());
    const server = backend.#server;
    server.addService(
      { StartInstance: unary("StartInstance"), GetInstance: unary("GetInstance") },
      {
        StartInstance: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
          backend.#start(call.request, answer);
        },
        GetInstance: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
          backend.#get(call.request, answer);
        },
      },
    );
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${backend.port}`, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
    return backend;
  }

  close(): void {
    this.#server.forceShutdown();
  }

  #start(request: Buffer, answer: sendUnaryData<Buffer>): void {
    const id = pb.CreateInstanceRequest.deserializeBinary(request).getInstanceid();
    const refusal = this.refuse(this.#starts);
    this.#starts += 1;
    this.outstanding += 1;
    this.mostOutstanding = Math.max(this.mostOutstanding, this.outstanding);
    if (refusal === "never") return;
    setTimeout(() => {
      this.outstanding -= 1;
      if (refusal !== undefined) {
        answer({ code: refusal, details: `refused ${id}` });
        return;
      }
      this.started.push(id);
      const response = new pb.CreateInstanceResponse();
      response.setInstanceid(id);
      answer(null, Buffer.from(response.serializeBinary()));
    }, 5);
  }

  #get(request: Buffer, answer: sendUnaryData<Buffer>): void {
    if (this.getStatus === "never") return;
    if (this.getStatus !== undefined) {
      answer({ code: this.getStatus, details: "refused" });
      return;
    }
    const id = pb.GetInstanceRequest.deserializeBinary(request).getInstanceid();
    const response = new pb.GetInstanceResponse();
    if (this.started.includes(id)) {
      const state = new pb.OrchestrationState();
      state.setInstanceid(id);
      state.setOrchestrationstatus(pb.OrchestrationStatus.ORCHESTRATION_STATUS_CONTINUED_AS_NEW);
      const output = new StringValue();
      output.setValue(this.output);
      state.setOutput(output);
      response.setExists(true);
      response.setOrchestrationstate(state);
    }
    answer(null, Buffer.from(response.serializeBinary()));
  }
}
