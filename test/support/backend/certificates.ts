import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Identity {
  readonly key: Buffer;
  readonly certificate: Buffer;
}

/** An authority for certificates that nobody trusts until told to. */
export class TestAuthority {
  private constructor(readonly folder: string) {}

  static async create(): Promise<TestAuthority> {
    const authority = new TestAuthority(await mkdtemp(join(tmpdir(), "fanout-ca-")));
    await authority.#newKey("ca");
    await authority.#openssl(
      "req -x509 -new -key ca.key -out ca.pem -days 2 -subj /CN=fanout-test-authority -addext keyUsage=keyCertSign",
    );
    return authority;
  }

  /** For NODE_EXTRA_CA_CERTS. */
  get file(): string {
    return join(this.folder, "ca.pem");
  }

  certificate(): Promise<string> {
    return readFile(this.file, "utf8");
  }

  /** A server's certificate for the name `localhost`, or another, and for an address too; of negative days it has expired. */
  async issue(name = "localhost", address?: string, days = 2): Promise<Identity> {
    await this.#newKey("server");
    await this.#openssl(`req -new -key server.key -out server.csr -subj /CN=${name}`);
    await writeFile(
      join(this.folder, "extensions"),
      `subjectAltName=DNS:${name}${address === undefined ? "" : `,IP:${address}`}\n`,
    );
    await this.#openssl(
      `x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days ${days} -extfile extensions`,
    );
    const [key, certificate] = await Promise.all(
      ["server.key", "server.pem"].map((file) => readFile(join(this.folder, file))),
    );
    return { key: key!, certificate: certificate! };
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true });
  }

  async #newKey(name: string): Promise<void> {
    await this.#openssl(`ecparam -name prime256v1 -genkey -noout -out ${name}.key`);
  }

  async #openssl(line: string): Promise<void> {
    await run("openssl", line.split(" "), { cwd: this.folder, timeout: 20_000 });
  }
}
