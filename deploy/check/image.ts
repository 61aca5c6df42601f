/**
 * Builds the stages of deploy/Dockerfile by hand, for machines without Docker, and runs what the image would run: as its user, with
 * a read-only root and a tmpfs at /tmp. Needs Linux, root, debootstrap, and the registries of Debian and npm.
 *
 * Debian's images are imitated by debootstrap without manuals and locales, and the image of Node by Debian with the Node and the npm
 * of this machine.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const MOST_BYTES = 250_000_000;
const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const NOT_IN_THE_SLIM_IMAGE = [
  "usr/share/doc",
  "usr/share/man",
  "usr/share/locale",
  "usr/share/info",
  "var/cache/apt",
  "var/lib/apt/lists",
];

interface Stage {
  readonly root: string;
  readonly env: Record<string, string>;
  workdir: string;
  user: string;
  entrypoint: readonly string[];
  cmd: readonly string[];
  healthcheck: readonly string[];
}

const place = mkdtempSync(join(tmpdir(), "fanout-image-"));
try {
  const image = build(readFileSync(join(REPOSITORY, "deploy/Dockerfile"), "utf8"));
  checkSize(image);
  await checkRun(image);
  await checkService(image, image.cmd, "/health", 8_080);
  await checkService(image, ["serve", "--host", "127.0.0.1", "--port", "8080"], "/healthz", 8_080);
  console.log("the image is well");
} finally {
  rmSync(place, { recursive: true, force: true });
}

function build(dockerfile: string): Stage {
  const debian = debootstrap();
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const [instruction, rest] of instructionsOf(dockerfile)) {
    if (instruction === "FROM") {
      const [base = "", , name = "final"] = rest.split(/\s+/u);
      stage = newStage(name, base, debian);
      stages.set(name, stage);
    } else if (stage) {
      apply(stage, instruction, rest, stages);
    }
  }
  if (!stage) throw new Error("The Dockerfile has no stage.");
  return stage;
}

/** Each instruction with its operands; comments are left out, and continued lines joined. */
function instructionsOf(dockerfile: string): readonly (readonly [string, string])[] {
  const lines = dockerfile.split("\n").filter((line) => !line.startsWith("#"));
  const joined = lines.join("\n").replaceAll(/\\\n\s*/gu, " ");
  return joined.split("\n").flatMap((line) => {
    const [, instruction, rest] = /^(\w+)\s+(.*)$/u.exec(line) ?? [];
    return instruction === undefined || rest === undefined ? [] : [[instruction, rest] as const];
  });
}

function debootstrap(): string {
  const root = join(place, "debian");
  execFileSync("debootstrap", ["--variant=minbase", "bookworm", root], { stdio: ["ignore", "ignore", "inherit"] });
  return root;
}

function newStage(name: string, base: string, debian: string): Stage {
  const root = join(place, name);
  execFileSync("cp", ["--archive", debian, root]);
  for (const path of NOT_IN_THE_SLIM_IMAGE) rmSync(join(root, path), { recursive: true, force: true });
  for (const path of ["var/cache/apt/archives/partial", "var/lib/apt/lists/partial"])
    mkdirSync(join(root, path), { recursive: true });
  if (base.startsWith("node:")) addNode(root);
  const env = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };
  return { root, env, workdir: "/", user: "0:0", entrypoint: [], cmd: [], healthcheck: [] };
}

function addNode(root: string): void {
  const npm = dirname(dirname(realpathSync(execFileSync("which", ["npm"], { encoding: "utf8" }).trim())));
  copyFileSync(process.execPath, join(root, "usr/local/bin/node"));
  cpSync(npm, join(root, "usr/local/lib/node_modules/npm"), { recursive: true });
  execFileSync("ln", ["-s", "../lib/node_modules/npm/bin/npm-cli.js", join(root, "usr/local/bin/npm")]);
}

function apply(stage: Stage, instruction: string, rest: string, stages: ReadonlyMap<string, Stage>): void {
  if (instruction === "RUN") {
    runIn(stage, rest);
  } else if (instruction === "COPY") {
    copyInto(stage, rest, stages);
  } else if (instruction === "WORKDIR") {
    stage.workdir = rest;
    mkdirSync(join(stage.root, rest), { recursive: true });
  } else if (instruction === "ENV") {
    for (const pair of rest.split(/\s+/u))
      stage.env[pair.slice(0, pair.indexOf("="))] = pair.slice(pair.indexOf("=") + 1);
  } else if (instruction === "USER") {
    stage.user = rest;
  } else if (instruction === "ENTRYPOINT") {
    stage.entrypoint = JSON.parse(rest) as string[];
  } else if (instruction === "CMD") {
    stage.cmd = JSON.parse(rest) as string[];
  } else if (instruction === "HEALTHCHECK") {
    stage.healthcheck = JSON.parse(rest.slice(rest.indexOf("["))) as string[];
  } else if (instruction !== "EXPOSE") {
    throw new Error(`The instruction ${instruction} is not imitated.`);
  }
}

function runIn({ root, env, workdir }: Stage, command: string): void {
  console.log(`RUN ${command}`);
  const certificates = process.env["NODE_EXTRA_CA_CERTS"];
  for (const path of ["/etc/resolv.conf", "/etc/hosts", ...(certificates === undefined ? [] : [certificates])]) {
    if (!existsSync(path)) continue;
    mkdirSync(join(root, dirname(path)), { recursive: true });
    copyFileSync(path, join(root, path));
  }
  const trust =
    certificates === undefined ? {} : { NODE_EXTRA_CA_CERTS: certificates, npm_config_cafile: certificates };
  const withProc = 'mount -t proc proc "$0/proc" && exec chroot "$0" /bin/sh -c "$1"';
  execFileSync("unshare", ["--mount", "sh", "-c", withProc, root, `cd ${workdir} && ${command}`], {
    env: { ...env, ...trust, HOME: "/root" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (certificates !== undefined) rmSync(join(root, certificates), { force: true });
}

function copyInto({ root, workdir }: Stage, rest: string, stages: ReadonlyMap<string, Stage>): void {
  const words = rest.split(/\s+/u);
  const from = words.find((word) => word.startsWith("--from="))?.slice("--from=".length);
  const paths = words.filter((word) => !word.startsWith("--"));
  const target = paths.at(-1) ?? "";
  const source = from === undefined ? REPOSITORY : (stages.get(from)?.root ?? "");
  for (const path of paths.slice(0, -1)) {
    const isFolder = target.endsWith("/");
    const to = join(root, resolve(workdir, target), isFolder ? (path.split("/").at(-1) ?? "") : "");
    mkdirSync(dirname(to), { recursive: true });
    cpSync(join(source, path), to, { recursive: true, verbatimSymlinks: true });
  }
}

function checkSize({ root }: Stage): void {
  const bytes = Number(execFileSync("du", ["--summarize", "--bytes", root], { encoding: "utf8" }).split("\t")[0]);
  console.log(`the image has ${Math.round(bytes / 1e6)} MB`);
  if (bytes > MOST_BYTES) throw new Error(`The image has ${bytes} bytes, more than ${MOST_BYTES}.`);
}

async function checkRun(image: Stage): Promise<void> {
  console.log("fanout run, in the image");
  const run = start(image, ["run", "--iterations", "2", "--quiet"]);
  const code = await ended(run);
  if (code !== 0) throw new Error(`fanout run exited with ${code}.`);
}

/** Starts a service, waits until its health check passes, and stops it as a container engine does. */
async function checkService(image: Stage, args: readonly string[], path: string, port: number): Promise<void> {
  console.log(`fanout ${args.join(" ")}, in the image`);
  const service = start(image, args);
  try {
    const url = `http://127.0.0.1:${port}${path}`;
    const until = Date.now() + 30_000;
    while (!(await isHealthy(image, url))) {
      if (service.exitCode !== null || Date.now() > until) throw new Error(`${url} did not answer within 30 s.`);
      await sleep(200);
    }
  } finally {
    // A container engine sends the signal to the first process of the container.
    process.kill(-service.pid!, "SIGTERM");
  }
  const code = await ended(service);
  if (code !== 0) throw new Error(`It exited with ${code} on SIGTERM.`);
}

async function isHealthy({ root, healthcheck, env }: Stage, url: string): Promise<boolean> {
  const check = spawn("chroot", ["--userspec=10001:10001", root, ...healthcheck], { env: { ...env, HEALTH_URL: url } });
  return (await ended(check)) === 0;
}

function start({ root, env, workdir, user, entrypoint }: Stage, args: readonly string[]): ChildProcess {
  const isolated = [
    'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && mount -t tmpfs tmpfs "$0/tmp" && mount -t proc proc "$0/proc"',
    'exec chroot --userspec="$1" "$0" /usr/bin/env --chdir="$2" "${@:3}"',
  ].join(" && ");
  return spawn(
    "unshare",
    ["--mount", "--pid", "--fork", "--kill-child", "bash", "-c", isolated, root, user, workdir, ...entrypoint, ...args],
    {
      env,
      detached: true,
      stdio: ["ignore", "inherit", "inherit"],
    },
  );
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  return new Promise((done) => child.once("exit", done));
}
