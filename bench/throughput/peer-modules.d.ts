/**
 * What the bench uses of the peers' packages. They are installed in `bench/` alone and only by those who want to measure
 * them, so the check of the types cannot rely on theirs; `bench/package.json` pins the versions that this was taken from.
 */
declare module "@restatedev/restate-sdk" {
  export interface RestateContext {
    /** Its type is that of the service's handlers. */
    serviceClient(service: { readonly name: string }): unknown;
    run<T>(name: string, action: () => Promise<T>): Promise<T>;
  }
  interface Service {
    readonly name: string;
  }
  export function service(options: {
    readonly name: string;
    readonly handlers: Readonly<Record<string, (context: RestateContext, input: never) => Promise<unknown>>>;
  }): Service;
  export function serve(options: {
    readonly services: readonly Service[];
    readonly port: number;
    readonly logger: () => void;
  }): Promise<number>;
  /** The only way to wait for several: the runtime has to see it. */
  export const RestatePromise: { all<T>(promises: readonly Promise<T>[]): Promise<T[]> };
}

declare module "@restatedev/restate-sdk-clients" {
  export function connect(options: { readonly url: string }): {
    /** Its type is that of the service's handlers. */
    serviceClient(service: { readonly name: string }): unknown;
  };
}

declare module "@dbos-inc/dbos-sdk" {
  interface WorkflowHandle<T> {
    getResult(): Promise<T>;
  }
  export const DBOS: {
    setConfig(config: {
      readonly name: string;
      readonly systemDatabaseUrl: string;
      readonly systemDatabasePoolSize: number;
      readonly logLevel: string;
      readonly enableOTLP: boolean;
    }): void;
    registerWorkflow<I, O>(
      workflow: (input: I) => Promise<O>,
      options: { readonly name: string },
    ): (input: I) => Promise<O>;
    startWorkflow<I, O>(workflow: (input: I) => Promise<O>): (input: I) => Promise<WorkflowHandle<O>>;
    runStep<T>(step: () => Promise<T>, options: { readonly name: string }): Promise<T>;
    launch(): Promise<void>;
  };
}

declare module "ioredis" {
  export class Redis {
    constructor(options: { readonly host: string; readonly port: number; readonly maxRetriesPerRequest: null });
    flushall(): Promise<string>;
  }
}

declare module "bullmq" {
  import type { Redis } from "ioredis";

  interface Job<I> {
    readonly data: I;
    getChildrenValues<T>(): Promise<Readonly<Record<string, T>>>;
  }
  interface FlowJob {
    readonly name: string;
    readonly queueName: string;
    readonly data: unknown;
    readonly opts: { readonly removeOnComplete: boolean };
    readonly children?: readonly FlowJob[];
  }
  export class FlowProducer {
    constructor(options: { readonly connection: Redis });
    add(flow: FlowJob): Promise<unknown>;
    on(event: "error", listener: (error: Error) => void): this;
  }
  export class Worker<I, O> {
    constructor(
      queue: string,
      processor: (job: Job<I>) => Promise<O>,
      options: { readonly connection: Redis; readonly concurrency: number },
    );
    on(event: "completed", listener: (job: Job<I>, result: O) => void): this;
    on(event: "failed", listener: (job: Job<I> | undefined, error: Error) => void): this;
    on(event: "error", listener: (error: Error) => void): this;
  }
}

declare module "@temporalio/workflow" {
  /** Their types are those of the worker's activities. */
  export function proxyActivities(options: {
    readonly startToCloseTimeout: string;
  }): Readonly<Record<string, (input: unknown) => Promise<unknown>>>;
}

declare module "@temporalio/worker" {
  type Logger = object;
  export const DefaultLogger: new (level: "WARN") => Logger;
  export const Runtime: { install(options: { readonly logger: Logger }): void };
  type Connection = object;
  export const NativeConnection: { connect(options: { readonly address: string }): Promise<Connection> };
  export const Worker: {
    create(options: {
      readonly connection: Connection;
      readonly taskQueue: string;
      readonly workflowsPath: string;
      readonly activities: Readonly<Record<string, (input: never) => Promise<unknown>>>;
    }): Promise<{ run(): Promise<void> }>;
  };
}

declare module "@temporalio/client" {
  export const Connection: { connect(options: { readonly address: string }): Promise<object> };
  export class Client {
    constructor(options: { readonly connection: object });
    readonly workflow: {
      execute(
        workflow: string,
        options: { readonly taskQueue: string; readonly workflowId: string; readonly args: readonly unknown[] },
      ): Promise<unknown>;
    };
  }
}
