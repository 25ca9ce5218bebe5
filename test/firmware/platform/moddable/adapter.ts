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
  KeyValue,
  LogLevel,
  Random,
  TcpConnection,
  TcpEvents,
  TlsOptions,
  UdpEvents,
  UdpSocket,
  UpdateSlot,
} from "../../../../firmware/platform/ports.ts";
import type { WifiCredentials } from "../../../../protocols/provisioning/contact.ts";
import type { Ciphers } from "../../../../protocols/security/ciphers.ts";
import type { EC, world } from "./sdk-model.ts";

export interface Traffic {
  receivedBytes: number;
  sentBytes: number;
}

export interface Adapter {
  readonly world: typeof world;
  /** The model's, as this adapter calls it. */
  readonly EC: typeof EC;
  certificateStartSeconds(certificate: Uint8Array): number;
  readonly ChipClock: new () => Clock;
  readonly ChipCiphers: new (random: Random) => Ciphers;
  readonly P256: new (
    random: Random,
  ) => { verify(publicKey: Uint8Array, hash: Uint8Array, signature: Uint8Array): boolean };
  readonly ChipFlash: new (label: string) => FlashRegion;
  readonly openSeries: () => FlashRegion | undefined;
  readonly ChipActuators: new () => Actuators & { makeSafe(): void };
  readonly ChipKeyValue: new (namespace: string) => KeyValue;
  readonly ChipUpdateSlot: new () => UpdateSlot;
  readonly DatagramSocket: new (
    port: number,
    events: UdpEvents,
    traffic: Traffic,
    group?: string,
  ) => UdpSocket;
  readonly SecureConnection: new (
    Session: unknown,
    address: { host: string; port: number },
    tls: TlsOptions,
    events: TcpEvents,
    traffic: Traffic,
  ) => TcpConnection;
  readonly AttachedSensors: new (
    sensors: readonly unknown[],
    clock: Clock,
    tell: (level: LogLevel, text: string) => void,
  ) => { startRound(): void; read(sensor: string): number };
  readonly ChipSystem: new (
    config: BoardConfig,
    arenaBytes: number,
    makeSafe: () => void,
  ) => { deepSleep(durationMs: number): void; markValid(): void };
  readonly SocketConnection: new (
    host: string,
    port: number,
    events: TcpEvents,
    traffic: Traffic,
  ) => TcpConnection;
  readonly WifiStation: new (
    credentials: WifiCredentials | undefined,
    clock: Clock,
    random: Random,
  ) => { start(onChange: (up: boolean) => void): void; change(credentials: WifiCredentials): void };
  readonly ProvisioningError: new (key: string, problem: string, remedy?: string) => Error;
  readonly provisioned: (values: Pick<KeyValue, "read">) => {
    board: BoardConfig;
    wifi: WifiCredentials | undefined;
    lacks: readonly Error[];
    arenaBytes: number;
  };
}

const sources = fileURLToPath(new URL("../../../../firmware/platform/moddable/", import.meta.url));
const model = fileURLToPath(new URL("sdk-model.ts", import.meta.url));

/** The SDK's module to what stands for it in the model. */
const sdkModules: Readonly<Record<string, string>> = {
  crypt: "crypt",
  ec: "EC",
  ecp: "ECPoint",
  mont: "Mont",
  "mc/config": "config",
  net: "Net",
  time: "Time",
  timer: "Timer",
  "embedded:io/digital": "Digital",
  "embedded:io/pwm": "PWM",
  "embedded:io/socket/tcp": "TCP",
  "embedded:io/socket/udp": "UDP",
  "embedded:network/interface/wifi": "WiFi",
  "embedded:storage/key-value": "storage",
  "mc/ffi": "FFI",
  "embedded:storage/flash": "flash",
};

export async function loadAdapter(): Promise<Adapter> {
  const folder = await mkdtemp(join(tmpdir(), "covey-adapter-"));
  const outfile = join(folder, "adapter.mjs");
  const files =
    "actuators board-sensors certificate-time ciphers clock flash-partition key-value p256 provisioned system tcp tls udp update-slot wifi".split(
      " ",
    );
  try {
    await build({
      stdin: {
        contents: [`export { EC, world } from ${JSON.stringify(model)};`]
          .concat(files.map((file) => `export * from "./${file}.ts";`))
          .join("\n"),
        resolveDir: sources,
      },
      bundle: true,
      format: "esm",
      platform: "node",
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
