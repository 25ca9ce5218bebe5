/** A real broker of another make, on a port of loopback that it is given, with its state in a folder of its own. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reservedPort } from "../../reserved-port.ts";

export interface BrokerProcess {
  readonly port: number;
  stop(): Promise<void>;
}

export type BrokerName = "mosquitto" | "nats-server";

export async function startBroker(name: BrokerName): Promise<BrokerProcess> {
  const folder = mkdtempSync(join(tmpdir(), `covey-${name}-`));
  const port = await reservedPort();
  const config = join(folder, "broker.conf");
  writeFileSync(config, configs[name](port, await reservedPort(), folder));
  const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
  const child = spawn(name, ["-c", config], { env: environment, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (text: Buffer) => {
    said += text;
  });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  let failure: Error | undefined;
  child.on("error", (error) => {
    failure = error;
  });
  const stop = async () => {
    child.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  for (let attempt = 0; attempt < 200; attempt++) {
    if (failure !== undefined || child.exitCode !== null) break;
    if (await accepts(port)) return { port, stop };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${name} did not come up: ${failure?.message ?? said}`);
}

const configs: Record<BrokerName, (port: number, otherPort: number, folder: string) => string> = {
  mosquitto: (port) => `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\n`,
  // Its MQTT gateway needs a name and JetStream.
  "nats-server": (port, otherPort, folder) =>
    `server_name: covey\nlisten: "127.0.0.1:${otherPort}"\njetstream { store_dir: "${folder}/store" }\nmqtt { listen: "127.0.0.1:${port}" }\n`,
};

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const answer = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.on("connect", () => answer(true)).on("error", () => answer(false));
  });
}
