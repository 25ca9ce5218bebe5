/** Loads the adapter with the model of the SDK in place of the SDK; each load has a world of its own. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import type {
  Actuators,
  BoardConfig,
  Clock,
  FlashRegion,
  Random,
  TcpConnection,
  TcpEvents,
} from "../../../../firmware/platform/ports.ts";
import type { world } from "./sdk-model.ts";

export interface Adapter {
  readonly world: typeof world;
  readonly ChipClock: new () => Clock;
  readonly ChipFlash: new (label: string) => FlashRegion;
  readonly ChipActuators: new () => Actuators;
  readonly SocketConnection: new (
    host: string,
    port: number,
    events: TcpEvents,
    traffic: { receivedBytes: number; sentBytes: number },
  ) => TcpConnection;
  readonly WifiStation: new (
    credentials: object,
    clock: Clock,
    random: Random,
  ) => { start(onChange: (up: boolean) => void): void };
  readonly ProvisioningError: new (key: string, problem: string) => Error;
  readonly provisioned: () => { board: BoardConfig; wifi: object; arenaBytes: number };
}

const sources = fileURLToPath(new URL("../../../../firmware/platform/moddable/", import.meta.url));
const model = fileURLToPath(new URL("sdk-model.ts", import.meta.url));

/** The SDK's module to what stands for it in the model. */
const sdkModules: Readonly<Record<string, string>> = {
  "mc/config": "config",
  net: "Net",
  time: "Time",
  timer: "Timer",
  "embedded:io/digital": "Digital",
  "embedded:io/pwm": "PWM",
  "embedded:io/socket/tcp": "TCP",
  "embedded:network/interface/wifi": "WiFi",
  "embedded:storage/flash": "flash",
};

export async function loadAdapter(): Promise<Adapter> {
  const folder = await mkdtemp(join(tmpdir(), "covey-adapter-"));
  const outfile = join(folder, "adapter.mjs");
  const files = ["actuators", "clock", "flash-partition", "provisioned", "tcp", "wifi"];
  try {
    await build({
      stdin: {
        contents: [`export { world } from ${JSON.stringify(model)};`]
          .concat(files.map((file) => `export * from "./${file}.ts";`))
          .join("\n"),
        resolveDir: sources,
      },
      bundle: true,
      format: "esm",
      platform: "neutral",
      outfile,
      logLevel: "silent",
      plugins: [sdkInModel()],
    });
    return await import(outfile);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function sdkInModel(): Plugin {
  return {
    name: "sdk-in-model",
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /.*/ }, ({ path }) =>
        path in sdkModules ? { path, namespace: "sdk" } : undefined,
      );
      onLoad({ filter: /.*/, namespace: "sdk" }, ({ path }) => ({
        contents: `export { ${sdkModules[path]} as default } from ${JSON.stringify(model)};`,
        resolveDir: sources,
      }));
    },
  };
}
