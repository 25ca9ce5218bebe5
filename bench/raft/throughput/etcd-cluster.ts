/** Three members of etcd on this machine, as Debian's etcd-server brings them, with their defaults and a data folder each. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { sleep } from "../../../test/end-to-end/running-swarm.ts";
import { reservedPorts } from "../../../test/reserved-port.ts";
import { StartedProcess } from "./started-process.ts";

export class EtcdCluster {
  readonly #members: readonly StartedProcess[];
  readonly #urls: readonly string[];

  static async start(folder: string): Promise<EtcdCluster> {
    const ports = await reservedPorts(6);
    const members = [0, 1, 2].map((number) => {
      const url = (at: number) => `http://127.0.0.1:${ports[at]}`;
      return {
        name: `member-${number}`,
        clientUrl: url(2 * number),
        peerUrl: url(2 * number + 1),
      };
    });
    const cluster = members.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(",");
    const processes = members.map(
      ({ name, clientUrl, peerUrl }) =>
        new StartedProcess(
          name,
          "etcd",
          [
            ...["--name", name, "--data-dir", join(folder, name)],
            ...["--listen-client-urls", clientUrl, "--advertise-client-urls", clientUrl],
            ...["--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl],
            ...["--initial-cluster", cluster, "--initial-cluster-state", "new", "--log-level", "error"],
          ],
          folder,
        ),
    );
    return new EtcdCluster(
      processes,
      members.map(({ clientUrl }) => clientUrl),
    );
  }

  private constructor(members: readonly StartedProcess[], urls: readonly string[]) {
    this.#members = members;
    this.#urls = urls;
  }

  get pids(): readonly number[] {
    return this.#members.map(({ pid }) => pid);
  }

  /** Waits for a leader: the member whose own id it gives as its leader's. */
  async leaderUrl(timeoutMs = 20_000): Promise<string> {
    const deadline = Date.now() + timeoutMs;
    while (Date.now() < deadline) {
      for (const [at, url] of this.#urls.entries()) {
        const member = this.#members[at]!;
        if (!member.isRunning) throw new Error(`etcd's ${member.name} ended: ${member.said}`);
        if (await leads(url)) return url;
      }
      await sleep(100);
    }
    throw new Error(`etcd elected nobody within ${timeoutMs} ms.`);
  }

  async end(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.end()));
  }
}

/** Over the JSON gateway that every member has. */
async function leads(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/v3/maintenance/status`, { method: "POST", body: "{}" });
    const { header, leader } = (await response.json()) as {
      header: { member_id: string };
      leader?: string;
    };
    return leader !== undefined && leader !== "0" && leader === header.member_id;
  } catch {
    return false;
  }
}

/** What `etcd --version` says, installed from Debian's packages where it is missing and this is root; undefined where it can't be had. */
export function etcdVersion(): string | undefined {
  const installed = askVersion();
  if (installed !== undefined) return installed;
  if (process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) return undefined;
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const install = ["install", "--yes", "--no-install-recommends", "etcd-server"];
  const take = () => spawnSync("apt-get", install, { env: environment }).status === 0;
  if (!take()) {
    spawnSync("apt-get", ["update"], { env: environment });
    if (!take()) return undefined;
  }
  return askVersion();
}

function askVersion(): string | undefined {
  const { status, stdout } = spawnSync("etcd", ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout.split("\n")[0]!.replace("etcd Version: ", "") : undefined;
}
