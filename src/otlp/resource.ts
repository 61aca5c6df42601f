import { detectResources, envDetector, resourceFromAttributes, type Resource } from "@opentelemetry/resources";
import type { Shard } from "../result/shard.js";
import { FANOUT_VERSION } from "../version.js";

/** The run that metrics and traces are of. */
export interface TelemetryRun {
  readonly runId: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly shard?: Shard | undefined;
}

export const SCOPE = { name: "fanout", version: FANOUT_VERSION };

/**
 * What all metrics and spans of a run have in common. The standard variables OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES
 * add to it, but do not replace what tells runs apart. Each generator is an instance of the service, so that the series of two never mix.
 */
export function resourceOf({ runId, labels, shard }: TelemetryRun): Resource {
  const service = resourceFromAttributes({ "service.name": "fanout", "service.version": FANOUT_VERSION });
  const run = resourceFromAttributes({
    "service.instance.id": shard ? `${runId}/${shard.number}` : runId,
    "fanout.run.id": runId,
    ...(shard && { "fanout.shard.number": shard.number, "fanout.shard.count": shard.of }),
    ...Object.fromEntries(Object.entries(labels).map(([key, value]) => [`fanout.label.${key}`, value])),
  });
  return service.merge(detectResources({ detectors: [envDetector] })).merge(run);
}
