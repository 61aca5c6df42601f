import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, readdir, stat, symlink, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { status } from "@grpc/grpc-js";
import { describe, expect, onTestFinished, test } from "vitest";
import { RawConnection } from "../support/emulator/raw-connection.js";
import { Workplace } from "../support/e2e/workplace.js";

const NOBODY = { uid: 65_534, gid: 65_534 };
const isRoot = process.getuid?.() === 0;
/** Only root can be somebody else, and the other one has to be let at this Node. */
const canBeNobody = isRoot && spawnSync(process.execPath, ["-e", ""], NOBODY).status === 0;

function stateAt(address: string): Promise<unknown> {
  const connection = new RawConnection(address, "default");
  onTestFinished(() => connection.close());
  return connection.state("instance");
}

describe("the emulator on a port", () => {
  // On Linux all of 127.0.0.0/8 is this machine, so that 127.0.0.2 stands for another address of it.
  const hasAnother = process.platform === "linux";

  test.skipIf(!hasAnother)(
    "listens on 127.0.0.1 alone, and says that all users of the machine can reach it",
    async () => {
      const place = await Workplace.open();
      const emulator = place.start("emulator --port 0");
      const [line, port] = await emulator.says(/^listening for any .* on http:\/\/127\.0\.0\.1:(\d+);.*$/mu);
      expect(line).toContain("every user of this machine can reach it");
      expect(emulator.stderr).not.toContain("warning");
      expect(await stateAt(`127.0.0.1:${port}`)).toBeUndefined();
      await expect(stateAt(`127.0.0.2:${port}`)).rejects.toMatchObject({ code: status.UNAVAILABLE });
    },
  );

  test.skipIf(!hasAnother)(
    "listens on another address that is asked for, and warns of those who can reach it",
    async () => {
      const place = await Workplace.open();
      const emulator = place.start("emulator --port 0 --host 0.0.0.0");
      const [line, port] = await emulator.says(/^listening for any .* on http:\/\/0\.0\.0\.0:(\d+);.*$/mu);
      expect(line).toContain("warning: everyone who reaches that address can use it without a credential");
      expect(await stateAt(`127.0.0.2:${port}`)).toBeUndefined();
      expect(await place.runningEmulator()).toMatchObject({ endpoints: [`0.0.0.0:${port}`, `unix:${place.socket}`] });
    },
  );

  test("refuses an address that this machine does not have, and leaves no socket", async () => {
    const place = await Workplace.open();
    const { code, stderr } = await place.run("emulator --port 0 --host 192.0.2.1");
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: "error: 192.0.2.1 is no address of this machine. Choose another with --host, for example 127.0.0.1.\n",
    });
    expect(existsSync(place.socket)).toBe(false);
  });

  test("refuses a port that is taken, by its number", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as AddressInfo;
    const place = await Workplace.open();
    const { code, stderr } = await place.run(`emulator --port ${port}`);
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(`^error: Port ${port} is taken .*--port\\.\\n$`, "u"));
  });
});

/** Tries to list, to read and to connect, and says how each went. */
const INTRUDER = `
  const { readdirSync, readFileSync } = require("node:fs");
  const { createConnection } = require("node:net");
  const [folder, socket, ...files] = process.argv.slice(1);
  const tell = (what, outcome) => console.log(what + " " + outcome);
  const attempt = (what, read) => {
    try { read(); tell(what, "open"); } catch ({ code }) { tell(what, code); }
  };
  attempt("folder", () => readdirSync(folder));
  for (const file of files) attempt("file", () => readFileSync(file));
  createConnection(socket)
    .on("connect", function () { tell("socket", "open"); this.destroy(); })
    .on("error", ({ code }) => tell("socket", code));
`;

async function intrude(place: Workplace, as: { uid?: number; gid?: number }): Promise<readonly string[]> {
  const files = ["emulator.db", "emulator.db-wal", "emulator.lock", "emulator.log"];
  const paths = files.map((file) => join(place.stateFolder, file));
  const intruder = spawn(process.execPath, ["-e", INTRUDER, place.stateFolder, place.socket, ...paths], {
    ...as,
    cwd: "/",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return (await text(intruder.stdout)).trim().split("\n");
}

describe("another user of the machine", () => {
  test.skipIf(!canBeNobody)("has no access to the emulator's folder, files and socket", async () => {
    const place = await Workplace.open();
    // Only the state folder itself is in the way.
    await chmod(place.root, 0o755);
    await place.succeed("run --iterations 1 --workers 1");
    await place.runningEmulator();
    expect(new Set(await intrude(place, {}))).toEqual(new Set(["folder open", "file open", "socket open"]));
    const found = await intrude(place, NOBODY);
    expect(found).toHaveLength(6);
    expect(new Set(found)).toEqual(new Set(["folder EACCES", "file EACCES", "socket EACCES"]));
  });
});

/** How commands end that use the folder. */
async function endsOf(place: Workplace): Promise<ReadonlySet<string>> {
  const ends = new Set<string>();
  for (const command of ["emulator", "run", "emulator status", "emulator reset --yes"]) {
    const { code, stdout, stderr } = await place.run(command);
    ends.add(`${code} ${stdout}${stderr}`);
  }
  return ends;
}

describe.skipIf(process.platform === "win32")("a state folder that is not this user's alone", () => {
  test.skipIf(!isRoot)("is refused and not changed if it belongs to somebody else", async () => {
    const place = await Workplace.open();
    await mkdir(place.stateFolder, { mode: 0o755 });
    await chown(place.stateFolder, NOBODY.uid, NOBODY.gid);
    expect(await endsOf(place)).toEqual(
      new Set([
        `2 error: The state folder '${place.stateFolder}' is not a folder of this user. Set FANOUT_STATE_DIR to one ` +
          "that is.\n",
      ]),
    );
    expect(await readdir(place.stateFolder)).toEqual([]);
    expect((await stat(place.stateFolder)).mode & 0o777).toBe(0o755);
  });

  test("is refused if it is a link, and its target is not changed", async () => {
    const place = await Workplace.open();
    const other = join(place.root, "other");
    await mkdir(other, { mode: 0o755 });
    await symlink(other, place.stateFolder);
    expect(await endsOf(place)).toEqual(
      new Set([
        `2 error: The state folder '${place.stateFolder}' is not a folder of this user. Set FANOUT_STATE_DIR to one ` +
          "that is.\n",
      ]),
    );
    expect(await readdir(other)).toEqual([]);
    expect((await stat(other)).mode & 0o777).toBe(0o755);
  });

  test("is refused and not changed if others could write to it", async () => {
    const place = await Workplace.open();
    await mkdir(place.stateFolder);
    await writeFile(join(place.stateFolder, "emulator.log"), "somebody's");
    await chmod(place.stateFolder, 0o777);
    expect(await endsOf(place)).toEqual(
      new Set([
        `2 error: Others can write to the state folder '${place.stateFolder}', and it is not empty. If all that is in it ` +
          `is yours, close it with \`chmod 700 ${place.stateFolder}\`, or set FANOUT_STATE_DIR to another folder.\n`,
      ]),
    );
    expect(await readdir(place.stateFolder)).toEqual(["emulator.log"]);
    expect((await stat(place.stateFolder)).mode & 0o777).toBe(0o777);
  });

  test("is refused and not changed if it holds other files", async () => {
    const place = await Workplace.open();
    await mkdir(place.stateFolder);
    await writeFile(join(place.stateFolder, "letter"), "somebody's");
    await chmod(place.stateFolder, 0o755);
    const [end = "", ...others] = await endsOf(place);
    expect(others).toEqual([]);
    expect(end).toContain(
      `2 error: The folder '${place.stateFolder}' holds other files, and others can open it (mode 755)`,
    );
    expect(end).toContain(`FANOUT_STATE_DIR to a folder of its own, such as '${place.stateFolder}/fanout-state'`);
    expect(await readdir(place.stateFolder)).toEqual(["letter"]);
    expect((await stat(place.stateFolder)).mode & 0o777).toBe(0o755);
  });

  test("is closed to others and used if it is empty", async () => {
    const place = await Workplace.open();
    await mkdir(place.stateFolder);
    await chmod(place.stateFolder, 0o777);
    await place.succeed("run --iterations 1 --workers 1");
    expect((await stat(place.stateFolder)).mode & 0o777).toBe(0o700);
  });
});
