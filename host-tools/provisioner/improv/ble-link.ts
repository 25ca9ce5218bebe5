/** Improv by Bluetooth Low Energy, through `@stoprocent/noble`. */
import type { Noble, Characteristic as NobleCharacteristic, Peripheral } from "@stoprocent/noble";
import {
  Capability,
  Characteristic,
  characteristicUuids,
  decodeServiceData,
  improvService,
  serviceDataUuid,
  withoutSum,
  withSum,
} from "../../../protocols/improv/ble.ts";
import type { Outcome, Request } from "../../../protocols/improv/client.ts";
import { State } from "../../../protocols/improv/rpc.ts";
import { ClientDriver } from "./client-driver.ts";
import { ImprovFailed, type ImprovLink } from "./improv-link.ts";

export interface BleOptions {
  /** The board's name in the air; undefined for the only one there is. */
  readonly board: string | undefined;
  /** A Bluetooth controller on a serial port (HCI UART transport); undefined for this computer's own. */
  readonly controller?: { readonly port: string; readonly baud: number } | undefined;
  /** For how long to look for boards. */
  readonly scanMs: number;
  readonly onState?: (state: number) => void;
}

export const bleLimits = {
  powerOnMs: 5_000,
  connectMs: 10_000,
  /** Without the exchange of anything larger (Core Specification, Vol. 3, Part F, 3.2.8). */
  mtuMin: 23,
  /** As long as the board lets its button count, and a little for the way to it. */
  authorizedMs: 90_000,
} as const;

/** A board in reach that speaks Improv. */
export interface SeenBoard {
  readonly name: string;
  readonly address: string;
  /** dBm. */
  readonly rssi: number;
  readonly state: number | undefined;
}

export class BleLink implements ImprovLink {
  readonly name: string;
  readonly isSerial = false;
  readonly #noble: Noble;
  readonly #peripheral: Peripheral;
  readonly #driver: ClientDriver;
  readonly #characteristics: NobleCharacteristic[] = [];
  #capabilities = 0;
  readonly #waiting = new Set<(state: number) => void>();

  private constructor(noble: Noble, peripheral: Peripheral, onState: (state: number) => void) {
    this.#noble = noble;
    this.#peripheral = peripheral;
    this.name = nameOf(peripheral);
    this.#driver = new ClientDriver(
      (command) => void this.#send(command).catch((error: Error) => this.#lose(error.message)),
      false,
      (state) => {
        onState(state);
        for (const each of this.#waiting) each(state);
      },
    );
  }

  /** @throws {ImprovFailed} */
  static async open({ board, controller, scanMs, onState }: BleOptions): Promise<BleLink> {
    const noble = await powerOn(controller);
    try {
      const peripheral = choose(await scan(noble, scanMs, board), board);
      const link = new BleLink(noble, peripheral, onState ?? (() => undefined));
      await withTimeout(link.#connect(), bleLimits.connectMs, () => link.#tooSlow());
      return link;
    } catch (error) {
      noble.stop();
      throw error;
    }
  }

  get canIdentify(): boolean {
    return (this.#capabilities & Capability.identify) !== 0;
  }

  /** What the board last said; undefined before. */
  get state(): number | undefined {
    return this.#driver.state;
  }

  ask(request: Request): Promise<Outcome> {
    return this.#driver.ask(request);
  }

  /** Until somebody has pressed the board's button, where it wants that. @throws {ImprovFailed} */
  async authorized(): Promise<void> {
    if (this.state !== State.authorizationRequired) return;
    let stop = (_state: number) => {};
    const pressed = new Promise<void>((resolve) => {
      stop = (state) => {
        if (state !== State.authorizationRequired) resolve();
      };
    });
    this.#waiting.add(stop);
    try {
      await withTimeout(pressed, bleLimits.authorizedMs, () => {
        return new ImprovFailed(
          "not-authorized",
          `Nobody pressed the button of ${this.name}; try again, and press it.`,
        );
      });
    } finally {
      this.#waiting.delete(stop);
    }
  }

  async close(): Promise<void> {
    this.#driver.lose(gone(this.name, "closed"));
    this.#peripheral.removeAllListeners("disconnect");
    if (this.#peripheral.state === "connected")
      await this.#peripheral.disconnectAsync().catch(() => undefined);
    this.#noble.stop();
  }

  async #connect(): Promise<void> {
    this.#peripheral.once("disconnect", () => this.#lose("the connection was lost"));
    await this.#peripheral.connectAsync();
    const { characteristics } = await this.#peripheral.discoverSomeServicesAndCharacteristicsAsync(
      [bare(improvService)],
      characteristicUuids.map(bare),
    );
    for (const [index, uuid] of characteristicUuids.entries()) {
      const found = characteristics.find((each) => each.uuid === bare(uuid));
      if (found === undefined)
        throw new ImprovFailed("not-known", `${this.name} does not speak Improv as it should.`);
      this.#characteristics[index] = found;
    }
    await this.#subscribe(
      Characteristic.error,
      ([error]) => error !== undefined && this.#driver.onError(error),
    );
    await this.#subscribe(Characteristic.result, (bytes) => void this.#onResult(bytes));
    await this.#subscribe(
      Characteristic.state,
      ([state]) => state !== undefined && this.#driver.onState(state),
    );
    const [capabilities = 0] = await this.#characteristics[Characteristic.capabilities]!.readAsync();
    this.#capabilities = capabilities;
    const [state] = await this.#characteristics[Characteristic.state]!.readAsync();
    if (state !== undefined) this.#driver.onState(state);
  }

  async #subscribe(index: number, onBytes: (bytes: Uint8Array) => void): Promise<void> {
    const characteristic = this.#characteristics[index]!;
    characteristic.on("data", (bytes: Buffer, isNotification: boolean) => {
      if (isNotification) onBytes(Uint8Array.from(bytes));
    });
    await characteristic.subscribeAsync();
  }

  /** A notification has as much of a result as one packet holds; the rest is read. */
  async #onResult(notified: Uint8Array): Promise<void> {
    const isWhole = notified.length >= 2 && notified.length === notified[1]! + 3;
    const bytes = isWhole
      ? notified
      : await this.#characteristics[Characteristic.result]!.readAsync().catch(() => notified);
    const plain = withoutSum(Uint8Array.from(bytes));
    if (plain !== undefined) this.#driver.onResult(plain);
  }

  async #send(command: Uint8Array): Promise<void> {
    const bytes = Buffer.from(withSum(command));
    const pieceBytes = (this.#peripheral.mtu ?? bleLimits.mtuMin) - 3;
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      await this.#characteristics[Characteristic.command]!.writeAsync(
        bytes.subarray(at, at + pieceBytes),
        false,
      );
    }
  }

  #lose(reason: string): void {
    this.#driver.lose(gone(this.name, reason));
  }

  #tooSlow(): ImprovFailed {
    return new ImprovFailed(
      "gone",
      `${this.name} was seen, and can't be connected to; go nearer to it, and try again.`,
    );
  }
}

/** The boards in reach, the nearest first. @throws {ImprovFailed} */
export async function seenBoards(options: Pick<BleOptions, "controller" | "scanMs">): Promise<SeenBoard[]> {
  const noble = await powerOn(options.controller);
  try {
    return (await scan(noble, options.scanMs, undefined)).map((peripheral) => ({
      name: nameOf(peripheral),
      address: peripheral.address,
      rssi: peripheral.rssi,
      state: stateOf(peripheral),
    }));
  } finally {
    noble.stop();
  }
}

async function powerOn(controller: BleOptions["controller"]): Promise<Noble> {
  const { withBindings } = await import("@stoprocent/noble").catch(() => {
    throw new ImprovFailed(
      "no-bluetooth",
      "Bluetooth needs a package that is not installed: npm install @stoprocent/noble",
    );
  });
  const { port, baud: baudRate } = controller ?? { port: "", baud: 0 };
  const options = { hciDriver: "uart", bindParams: { uart: { port, baudRate } } };
  const noble = controller === undefined ? withBindings("default") : withBindings("hci", options);
  // noble says on stdout what it lacks, and that is for results.
  const { log } = console;
  console.log = () => undefined;
  try {
    await noble.waitForPoweredOnAsync(bleLimits.powerOnMs);
    return noble;
  } catch {
    const { state } = noble;
    noble.stop();
    throw new ImprovFailed("no-bluetooth", noBluetooth(state, controller?.port));
  } finally {
    console.log = log;
  }
}

function noBluetooth(state: string, port: string | undefined): string {
  if (port !== undefined)
    return `There is no Bluetooth controller at ${port}; look what its port is called, and its rate.`;
  if (state === "unauthorized") {
    return "Bluetooth may not be used by this user: on Linux run it with sudo, or give node the right once: sudo setcap cap_net_raw+eip $(readlink -f $(which node))";
  }
  return "Bluetooth is off, or this computer has none: switch it on, name a controller on a serial port with --controller, or use a cable (--port).";
}

/** Ends early when the board that is wanted was seen. */
async function scan(noble: Noble, scanMs: number, wanted: string | undefined): Promise<Peripheral[]> {
  const seen = new Map<string, Peripheral>();
  let found = () => {};
  const early = new Promise<void>((resolve) => {
    found = resolve;
  });
  const onDiscover = (peripheral: Peripheral) => {
    if (!peripheral.advertisement.serviceUuids.includes(bare(improvService))) return;
    seen.set(peripheral.id, peripheral);
    if (wanted !== undefined && nameOf(peripheral) === wanted) found();
  };
  noble.on("discover", onDiscover);
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, scanMs);
  });
  try {
    await noble.startScanningAsync([bare(improvService)], true);
    await Promise.race([over, early]);
    await noble.stopScanningAsync();
  } finally {
    clearTimeout(timer);
    noble.removeListener("discover", onDiscover);
  }
  return [...seen.values()].sort((a, b) => b.rssi - a.rssi);
}

function choose(seen: readonly Peripheral[], wanted: string | undefined): Peripheral {
  const [first, ...others] = wanted === undefined ? seen : seen.filter((each) => nameOf(each) === wanted);
  const names = seen.map(nameOf).join(", ");
  if (first === undefined) {
    const which = wanted === undefined ? "No board" : `No board called ${wanted}`;
    const instead = names === "" ? "" : ` (there is ${names})`;
    throw new ImprovFailed(
      "no-board",
      `${which} offers Improv by Bluetooth here${instead}: its image needs --bluetooth, and it offers it half a minute after it found no Wi-Fi.`,
    );
  }
  if (others.length > 0) {
    throw new ImprovFailed(
      "no-board",
      `${others.length + 1} boards are in reach (${names}): say which with --ble NAME.`,
    );
  }
  return first;
}

/** As it calls itself; its address where it does not. */
function nameOf({ advertisement, address }: Peripheral): string {
  return advertisement.localName || address;
}

function stateOf({ advertisement }: Peripheral): number | undefined {
  const uuid = serviceDataUuid.toString(16);
  const data = advertisement.serviceData.find((each) => each.uuid === uuid)?.data;
  return data && decodeServiceData(Uint8Array.from(data))?.state;
}

/** As noble writes a UUID. */
function bare(uuid: string): string {
  return uuid.replaceAll("-", "");
}

function gone(name: string, reason: string): ImprovFailed {
  return new ImprovFailed("gone", `${name} went away (${reason}); go nearer to it, and try again.`);
}

async function withTimeout<Result>(
  work: Promise<Result>,
  timeoutMs: number,
  failure: () => Error,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(failure()), timeoutMs);
  });
  work.catch(() => undefined);
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
