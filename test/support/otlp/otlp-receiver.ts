import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createFileRegistry, fromBinary, toJson } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { onTestFinished } from "vitest";

/**
 * The messages of OTLP as their authors publish them: the descriptors of the Python package `opentelemetry-proto` 1.45.2
 * (Apache-2.0), in one FileDescriptorSet, with the JSON names that protoc adds.
 */
const DESCRIPTORS = readFileSync(new URL("opentelemetry-proto-1.45.2.binpb", import.meta.url));
const REGISTRY = createFileRegistry(fromBinary(FileDescriptorSetSchema, DESCRIPTORS));
const TYPES: Readonly<Record<string, string>> = {
  "/v1/metrics": "opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest",
  "/v1/traces": "opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest",
};

/** 64-bit numbers are strings, and bytes are base64: the JSON mapping of Protocol Buffers. */
interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: string; readonly doubleValue?: number };
}

export interface DataPoint {
  readonly attributes?: readonly Attribute[];
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
  readonly asInt?: string;
  readonly asDouble?: number;
  readonly count?: string;
  readonly sum?: number;
  readonly max?: number;
  readonly bucketCounts?: readonly string[];
  readonly explicitBounds?: readonly number[];
}

interface Data {
  readonly dataPoints: readonly DataPoint[];
  readonly aggregationTemporality?: string;
  readonly isMonotonic?: boolean;
}

interface Metric {
  readonly name: string;
  readonly unit?: string;
  readonly sum?: Data;
  readonly gauge?: Data;
  readonly histogram?: Data;
}

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly Attribute[];
  readonly status?: { readonly code?: string; readonly message?: string };
}

interface Export {
  readonly resourceMetrics?: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeMetrics: readonly { readonly metrics: readonly Metric[] }[];
  }[];
  readonly resourceSpans?: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly ReceivedSpan[] }[];
  }[];
}

/** The value of each attribute, as text. */
export function attributesOf(attributes: readonly Attribute[] = []): Readonly<Record<string, string>> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, String(value.stringValue ?? value.intValue ?? value.doubleValue)]),
  );
}

/** A collector for one test: it takes OTLP over HTTP, and keeps what it gets. */
export class OtlpReceiver {
  readonly headers: IncomingHttpHeaders[] = [];
  readonly #exports: Export[] = [];

  constructor(readonly server: Server) {}

  static async open(): Promise<OtlpReceiver> {
    const server = createServer();
    const receiver = new OtlpReceiver(server);
    server.on("request", (request, response) => {
      receiver.#take(request).then(
        () => response.writeHead(200, { "content-type": "application/x-protobuf" }).end(),
        (error: unknown) => response.writeHead(400).end(String(error)),
      );
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The metrics of each export, in the order of their arrival. */
  get metrics(): readonly (readonly Metric[])[] {
    return this.#exports.flatMap(({ resourceMetrics }) =>
      resourceMetrics === undefined
        ? []
        : [resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))],
    );
  }

  get spans(): readonly ReceivedSpan[] {
    return this.#exports.flatMap(({ resourceSpans = [] }) =>
      resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
    );
  }

  /** The attributes of all resources that exports were of. */
  get resources(): readonly Readonly<Record<string, string>>[] {
    return this.#exports.flatMap(({ resourceMetrics = [], resourceSpans = [] }) =>
      [...resourceMetrics, ...resourceSpans].map(({ resource }) => attributesOf(resource.attributes)),
    );
  }

  async #take(request: IncomingMessage): Promise<void> {
    const type = REGISTRY.getMessage(TYPES[request.url ?? ""] ?? "");
    if (type === undefined) throw new Error(`Expected the path of a signal, found ${request.url}`);
    const chunks = await request.toArray();
    this.headers.push(request.headers);
    this.#exports.push(toJson(type, fromBinary(type, Buffer.concat(chunks as Buffer[]))) as Export);
  }
}

/** The values of a metric's points, by their attributes. */
export function pointsOf(metrics: readonly Metric[], name: string): ReadonlyMap<string, DataPoint> {
  const metric = metrics.find((other) => other.name === name);
  const points = (metric?.sum ?? metric?.gauge ?? metric?.histogram)?.dataPoints ?? [];
  return new Map(points.map((point) => [Object.values(attributesOf(point.attributes)).join(","), point]));
}

/** The same as numbers, of sums and gauges. */
export function numbersOf(metrics: readonly Metric[], name: string): Readonly<Record<string, number>> {
  return Object.fromEntries(
    [...pointsOf(metrics, name)].map(([key, { asInt, asDouble }]) => [key, Number(asInt ?? asDouble)]),
  );
}
