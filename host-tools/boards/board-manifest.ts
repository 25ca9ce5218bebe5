/**
 * The Moddable manifest of the image for one kind of board, made from its file: the firmware, the drivers of its sensors, the
 * engine's memory. Who a board is and how it reaches its swarm stands in no image (`protocols/provisioning/stored.ts`).
 */
import type { BoardDescription } from "./boards.ts";
import { nearModuleName } from "./near-module.ts";
import { driverSpecifier, moduleName, ownDrivers, sdkManifests } from "./sensor-module.ts";

/** The chip that the board has, or the SDK's own platform on Linux, with stand-ins for the hardware. */
export type SdkPlatform = "chip" | "lin";

export interface ManifestOptions {
  readonly platform: SdkPlatform;
  /** The folder that holds `firmware/`, from the manifest's own folder. */
  readonly root: string;
  /** With the SDK's TLS, which takes flash also when it is not used. */
  readonly tls: boolean;
  /** With the radio as a GATT server, for Improv. */
  readonly bluetooth: boolean;
}

/** The SDK's modules that `lin` has not, and which the firmware brings for it. */
export const linStandIns: Readonly<Record<string, string>> = {
  "embedded:io/digital": "digital",
  "embedded:io/pwm": "pwm",
  "embedded:network/interface/wifi": "wifi",
  "embedded:storage/flash": "flash",
  "embedded:storage/key-value": "key-value",
  "mc/ffi": "ffi",
};

/** What the firmware imports the SDK's TLS as; there in every image, so that one bundle serves those with and without. */
export const tlsModuleName = "board-tls";

export function tlsModule(tls: boolean): string {
  return tls ? 'export { default } from "ssl/session";\n' : "export default undefined;\n";
}

/** Modules lie beside the manifest: `core`, `main`, the table of sensors, `drivers/`, and for lin `lin/`. */
export function boardManifest(board: BoardDescription, options: ManifestOptions): object {
  const { platform, root } = options;
  const isChip = platform === "chip";
  const drivers = isChip ? ownDrivers(board) : [];
  const standIns = isChip ? [] : Object.entries(linStandIns);
  return {
    build: {
      IO: "$(MODDABLE)/modules/io",
      MODULES: "$(MODDABLE)/modules",
      ...(isChip ? { PARTITIONS_FILE: "./partitions.csv", SDKCONFIGPATH: "./" } : {}),
    },
    include: [
      "$(MODDABLE)/examples/manifest_base.json",
      `${root}/firmware/platform/moddable/${isChip ? "esp32" : "lin"}.json`,
      ...(isChip ? sdkManifests(board) : []),
      ...(options.tls ? ["$(MODDABLE)/modules/crypt/tls_419.json"] : []),
      ...(options.bluetooth ? ["$(MODDABLE)/modules/io/ble/server/manifest.json"] : []),
    ],
    modules: {
      "*": [
        "./core",
        "./main",
        `./${moduleName}`,
        `./${tlsModuleName}`,
        `./${nearModuleName}`,
        `${root}/firmware/platform/moddable/chip-functions`,
        `${root}/firmware/platform/moddable/console-functions`,
      ],
      ...Object.fromEntries(drivers.map(({ file }) => [driverSpecifier(file), `./${driverPath(file)}`])),
      ...Object.fromEntries(standIns.map(([specifier, name]) => [specifier, `./lin/${name}`])),
    },
    preload: [
      "core",
      "main",
      moduleName,
      tlsModuleName,
      nearModuleName,
      ...(options.tls ? ["ssl/session"] : []),
      ...drivers.map(({ file }) => driverSpecifier(file)),
      ...standIns.map(([specifier]) => specifier),
    ],
    config: boardConfig(board, platform),
    creation: creationOf(board, platform),
  };
}

/** Where the bundle of a driver lies, without its ending. */
export function driverPath(file: string): string {
  return `drivers/${file.replace(/\.ts$/, "")}`;
}

function boardConfig(board: BoardDescription, platform: SdkPlatform): object {
  if (platform === "lin") {
    // Slots are twice as large on a 64-bit computer.
    return {
      model: board.name,
      arenaBytes: board.arenaBytes * 2,
      flashFolder: ".",
    };
  }
  return {
    model: board.name,
    arenaBytes: board.arenaBytes,
    // The SDK's start-up would show colours on the light.
    ...(board.pins.led?.kind === "ws2812" ? { led: { rainbow: false } } : {}),
  };
}

const slotBytes = 16;

/**
 * Pinned, because the SDK's defaults have changed under its users. The C3 has memory for one static arena, which grows
 * from both its ends; the others get chunks and slots apart, half each.
 */
function creationOf({ chip, arenaBytes, stackSlots }: BoardDescription, platform: SdkPlatform): object {
  const growing = {
    chunk: { initial: 1536, incremental: 512 },
    // As in the simulator's host, which says what was measured.
    heap: { initial: 1024, incremental: 256 },
    stack: stackSlots,
  };
  if (platform === "lin") return { static: 0, ...growing };
  if (chip === "esp32c3") return { static: arenaBytes, ...growing };
  return {
    static: 0,
    chunk: { initial: arenaBytes / 2, incremental: 0 },
    heap: { initial: arenaBytes / 2 / slotBytes, incremental: 0 },
    stack: stackSlots,
  };
}
