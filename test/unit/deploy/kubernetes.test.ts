import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { parseDuration } from "../../../src/format/duration.js";

const FOLDER = new URL("../../../deploy/kubernetes/", import.meta.url);
// Their own types are not needed, and one of them has thousands.
const MODELS: Readonly<Record<string, string>> = {
  "v1/ServiceAccount": "kubernetes-models/v1",
  "v1/ConfigMap": "kubernetes-models/v1",
  "v1/Service": "kubernetes-models/v1",
  "v1/PersistentVolumeClaim": "kubernetes-models/v1",
  "apps/v1/Deployment": "kubernetes-models/apps/v1",
  "batch/v1/Job": "kubernetes-models/batch/v1",
  "policy/v1/PodDisruptionBudget": "kubernetes-models/policy/v1",
  "keda.sh/v1alpha1/ScaledObject": "@kubernetes-models/keda/keda.sh/v1alpha1",
};
type Model = new (content: unknown) => { validate(): void };

interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly {
    readonly valueFrom: Readonly<Record<string, { readonly name: string; readonly key: string }>>;
  }[];
  readonly ports?: readonly { readonly containerPort: number }[];
  readonly securityContext: unknown;
  readonly volumeMounts: readonly { readonly mountPath: string }[];
  readonly livenessProbe?: { readonly httpGet: { readonly path: string } };
  readonly readinessProbe?: { readonly httpGet: { readonly path: string } };
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly scaleTargetRef: { readonly name: string };
    readonly triggers: readonly { readonly metadata: { readonly query: string; readonly threshold: string } }[];
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: {
        readonly serviceAccountName: string;
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: unknown;
        readonly containers: readonly [Container];
      };
    };
  };
}

function textOf(file: string): string {
  return readFileSync(new URL(file, FOLDER), "utf8");
}

function manifestsOf(file: string): readonly Manifest[] {
  return parseAllDocuments(textOf(file)).map((document) => document.toJS() as Manifest);
}

async function modelOf({ apiVersion, kind }: Manifest): Promise<Model> {
  const place = MODELS[`${apiVersion}/${kind}`];
  if (place === undefined) throw new Error(`No schema is known for ${apiVersion}/${kind}.`);
  return ((await import(place)) as Record<string, Model>)[kind]!;
}

const FILES = readdirSync(FOLDER).filter((file) => file.endsWith(".yaml") && file !== "kustomization.yaml");
const ALL = FILES.flatMap(manifestsOf);
const PODS = ALL.filter(({ kind }) => kind === "Deployment" || kind === "Job");

function podOf(name: string) {
  return PODS.find(({ metadata }) => metadata.name === name)!.spec.template;
}

function flagOf({ args }: Container, name: string): string | undefined {
  return args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
}

test.each(ALL.map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, manifest] as const))(
  "%s keeps the schema of its kind, and one with a wrong name does not",
  async (_, manifest) => {
    const Kind = await modelOf(manifest);
    expect(() => new Kind(manifest).validate()).not.toThrow();
    expect(() => new Kind({ ...manifest, metadata: { ...manifest.metadata, name: 1 } }).validate()).toThrow(/name/u);
  },
);

test("the kustomization has all files that need no more than an image and a connection string", () => {
  const { resources, images } = parse(textOf("kustomization.yaml")) as {
    readonly resources: readonly string[];
    readonly images: readonly { readonly name: string }[];
  };
  const asked = ["scaled-object.yaml", "generators.yaml"];
  expect(resources.toSorted()).toEqual(FILES.filter((file) => !asked.includes(file)).toSorted());
  const used = resources
    .flatMap(manifestsOf)
    .filter((manifest) =>
      PODS.some(({ metadata }) => metadata.name === manifest.metadata.name && manifest.kind === "Deployment"),
    );
  expect(used.map(({ spec }) => spec.template.spec.containers[0].image)).toEqual(used.map(() => images[0]!.name));
});

describe.each(PODS.map((pod) => [pod.metadata.name, pod] as const))("the pods of %s", (_, { spec: { template } }) => {
  const [container] = template.spec.containers;

  test("are not root, cannot write but in their volumes, and have the identity of the account", () => {
    expect(template.spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 10_001 });
    expect(container.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    expect(container.volumeMounts.map(({ mountPath }) => mountPath)).toContain("/tmp");
    expect(template.metadata.labels["azure.workload.identity/use"]).toBe("true");
    expect(
      ALL.some(({ kind, metadata }) => kind === "ServiceAccount" && metadata.name === template.spec.serviceAccountName),
    ).toBe(true);
  });

  test("get the connection string from the ConfigMap", () => {
    const keys = container.env.flatMap(({ valueFrom }) => valueFrom["configMapKeyRef"] ?? []);
    for (const { name, key } of keys) {
      expect(ALL.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === name)?.data?.[key]).toContain(
        "Endpoint=",
      );
    }
    expect(keys).toHaveLength(1);
  });
});

test.each([
  ["fanout-worker", "/health", "/ready"],
  ["fanout-serve", "/healthz", "/healthz"],
])("the probes of %s ask the port that it listens on", (name, live, ready) => {
  const [container] = podOf(name).spec.containers;
  expect(container.ports?.map(({ containerPort }) => `${containerPort}`)).toEqual([flagOf(container, "port")]);
  expect(flagOf(container, "host")).toBe("0.0.0.0");
  expect(container.livenessProbe?.httpGet.path).toBe(live);
  expect(container.readinessProbe?.httpGet.path).toBe(ready);
});

test.each(
  ALL.filter(({ kind }) => kind === "Deployment" || kind === "PodDisruptionBudget").map(
    (owner) => [`${owner.kind} ${owner.metadata.name}`, owner] as const,
  ),
)("%s selects the pods of its name", (_, { metadata, spec }) => {
  expect(podOf(metadata.name).metadata.labels).toMatchObject(spec.selector.matchLabels);
});

test("a worker has 5 s or more behind its drain before it is killed", () => {
  const { containers, terminationGracePeriodSeconds } = podOf("fanout-worker").spec;
  const drainMs = parseDuration(flagOf(containers[0], "drain-timeout") ?? "");
  expect(terminationGracePeriodSeconds * 1_000 - drainMs!).toBeGreaterThanOrEqual(5_000);
});

test("the scaler adds a worker before those that are there are full", () => {
  const { scaleTargetRef, triggers } = ALL.find(({ kind }) => kind === "ScaledObject")!.spec;
  const [worker] = podOf(scaleTargetRef.name).spec.containers;
  const limits = { activity: "max-concurrent-activities", orchestrator: "max-concurrent-orchestrators" };
  expect(triggers).toHaveLength(2);
  for (const [index, [kind, flag]] of Object.entries(limits).entries()) {
    const { query, threshold } = triggers[index]!.metadata;
    expect(query).toContain(`fanout_worker_work_items_in_flight{kind="${kind}"`);
    expect(Number(threshold)).toBeLessThan(Number(flagOf(worker, flag)));
  }
});
