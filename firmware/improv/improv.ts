/**
 * Improv on a board: somebody near it may give it a Wi-Fi, over its cable or by Bluetooth.
 *
 * ```
 *             in the first minutes     without Wi-Fi     without Wi-Fi for half a minute     in a Wi-Fi
 *  serial            listens              listens                    listens                    -
 *  Bluetooth            -                    -              serves; the button authorizes       -
 * ```
 *
 * Nothing of it is in memory while neither is open.
 */
import { type SeenNetwork, State } from "../../protocols/improv/rpc.ts";
import { type ServiceBoard, serviceLimits } from "../../protocols/improv/service.ts";
import type { WifiCredentials } from "../../protocols/provisioning/contact.ts";
import type { BoardLog } from "../board/board-log.ts";
import type { Turns } from "../board/turns.ts";
import type { Clock, GattEvents, Network, Ports } from "../platform/ports.ts";
import { firmwareVersion } from "../version.ts";
import { Blinking } from "./blinking.ts";
import { BluetoothDoor } from "./bluetooth-door.ts";
import { SerialDoor } from "./serial-door.ts";
import type { WifiSwitch } from "./wifi-switch.ts";

export const improvLimits = Object.freeze({
  /** The line is listened to for so long after power-on, Wi-Fi or not. */
  afterStartMs: 300_000,
  /** A board that has just lost its Wi-Fi, or is on its way into it, does not switch its Bluetooth on yet. */
  patienceMs: 30_000,
  /** In a Wi-Fi at last, the radio stays on for so long, so that whoever brought it there hears of it. */
  lingerMs: 5_000,
  buttonEveryMs: 50,
});

export interface ImprovParts {
  readonly clock: Clock;
  readonly ports: Pick<Ports, "serial" | "bluetooth" | "button" | "light">;
  readonly network: Pick<Network, "scanWifi">;
  readonly log: BoardLog;
  readonly turns: Turns;
  readonly wifi: WifiSwitch;
  /** Keeps a gift (`protocols/improv/gift.ts`) and gives the board's name, or undefined when it is none for it. Absent where it has an identity. */
  readonly takeGift?: ((gift: Uint8Array) => string | undefined) | undefined;
}

export class Improv implements ServiceBoard, GattEvents {
  readonly #parts: ImprovParts;
  readonly #model: string;
  readonly #name: string;
  readonly #startMs: number;
  #isOnline = false;
  /** Since when it is online, or is not. */
  #changedMs: number;
  #serial: SerialDoor | undefined;
  #bluetooth: BluetoothDoor | undefined;
  /** False once the radio could not be had. */
  #hasRadio: boolean;
  #blinking: Blinking | undefined;
  /** A button that is held while the radio is switched on counts when it is pressed anew. */
  #wasPressed = true;
  #dueMs = 0;

  /** `name`: empty for a board without an identity. */
  constructor(parts: ImprovParts, model: string, name: string) {
    this.#parts = parts;
    this.#model = model;
    this.#name = name;
    this.#startMs = parts.clock.nowMs();
    this.#changedMs = this.#startMs;
    this.#hasRadio = parts.ports.bluetooth !== undefined;
  }

  /** When `run` has something to do; Infinity for never. */
  get dueMs(): number {
    return this.#dueMs;
  }

  onNetworkChange(isUp: boolean): void {
    if (isUp === this.#isOnline) return;
    const nowMs = this.#parts.clock.nowMs();
    this.#isOnline = isUp;
    this.#changedMs = nowMs;
    this.#dueMs = 0;
    this.#serial?.service?.onOnline(isUp, nowMs);
    this.#bluetooth?.service.onOnline(isUp, nowMs);
  }

  run(nowMs: number): void {
    if (nowMs < this.#dueMs) return;
    this.keepSerial(nowMs);
    this.keepBluetooth(nowMs);
    this.#serial?.run(nowMs);
    this.#bluetooth?.run(nowMs);
    this.lookAtButton(nowMs);
    this.#blinking?.run(nowMs);
    if (this.#blinking?.dueMs === Infinity) this.#blinking = undefined;
    this.#dueMs = this.nextMs(nowMs);
  }

  // What the services ask of the board.

  get info(): readonly [string, string, string, string] {
    return ["Covey", firmwareVersion, this.#model, this.#name];
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  get canIdentify(): boolean {
    return this.#parts.ports.light !== undefined;
  }

  get canScan(): boolean {
    return this.#parts.network.scanWifi !== undefined;
  }

  get canTakeGift(): boolean {
    return this.#parts.takeGift !== undefined;
  }

  useWifi(wifi: WifiCredentials): boolean {
    const { log, wifi: wifiSwitch } = this.#parts;
    const isTried = wifiSwitch.tryWifi(wifi, (isJoined) => this.onTried(isJoined));
    if (isTried) log.write("info", "improv-wifi", "ssid", wifi.ssid);
    return isTried;
  }

  identify(): void {
    this.#blinking = new Blinking(this.#parts.ports.light!);
  }

  scan(): void {
    const { network } = this.#parts;
    network.scanWifi!(serviceLimits.networksMax, (seen) => this.turn(() => this.onSeen(seen)));
  }

  take(gift: Uint8Array): string | undefined {
    return this.#parts.takeGift!(gift);
  }

  // The radio.

  onConnected(isConnected: boolean): void {
    this.turn(() => {
      this.#parts.log.write("info", "improv-bluetooth", "connected", isConnected ? "yes" : "no");
      this.#bluetooth?.onConnected();
    });
  }

  onWrite(index: number, bytes: Uint8Array): void {
    this.turn((nowMs) => this.#bluetooth?.onWrite(index, bytes, nowMs));
  }

  // Parts.

  private keepSerial(nowMs: number): void {
    const { serial } = this.#parts.ports;
    const isWanted = !this.#isOnline || nowMs < this.#startMs + improvLimits.afterStartMs;
    if (isWanted && this.#serial === undefined && serial !== undefined) {
      const door = new SerialDoor(serial, this);
      this.#serial = door;
      serial.listen((bytes) => this.turn((heardMs) => door.receive(bytes, heardMs)));
    } else if (!isWanted) {
      this.#serial?.close();
      this.#serial = undefined;
    }
  }

  private keepBluetooth(nowMs: number): void {
    const { patienceMs, lingerMs } = improvLimits;
    const isAmid = this.#bluetooth?.service.state === State.provisioning;
    if (this.#isOnline && !isAmid && nowMs >= this.#changedMs + lingerMs) {
      this.closeBluetooth();
    } else if (!this.#isOnline && this.#hasRadio && nowMs >= this.#changedMs + patienceMs) {
      if (this.#bluetooth === undefined) this.openBluetooth();
    }
  }

  private openBluetooth(): void {
    const { ports, log } = this.#parts;
    try {
      this.#bluetooth = new BluetoothDoor(ports.bluetooth!, this, ports.button !== undefined, this);
      this.#wasPressed = true;
      log.write("info", "improv-bluetooth", "open", "yes");
    } catch (error) {
      this.#hasRadio = false;
      log.write("error", "improv-bluetooth", "reason", `${error}`);
    }
  }

  private closeBluetooth(): void {
    if (this.#bluetooth === undefined) return;
    this.#bluetooth.close();
    this.#bluetooth = undefined;
    this.#parts.log.write("info", "improv-bluetooth", "open", "no");
  }

  private lookAtButton(nowMs: number): void {
    const { button } = this.#parts.ports;
    if (button === undefined || this.#bluetooth === undefined) return;
    const isPressed = button.isPressed();
    if (isPressed && !this.#wasPressed) this.#bluetooth.service.onButton(nowMs);
    this.#wasPressed = isPressed;
  }

  private onTried(isJoined: boolean): void {
    const nowMs = this.#parts.clock.nowMs();
    this.#dueMs = 0;
    this.#parts.log.write("info", "improv-wifi", "joined", isJoined ? "yes" : "no");
    this.#serial?.service?.onWifi(isJoined, nowMs);
    this.#bluetooth?.service.onWifi(isJoined, nowMs);
  }

  private onSeen(networks: readonly SeenNetwork[]): void {
    this.#serial?.service?.onNetworks(networks);
    this.#bluetooth?.service.onNetworks(networks);
  }

  private nextMs(nowMs: number): number {
    const { afterStartMs, patienceMs, lingerMs, buttonEveryMs } = improvLimits;
    const { ports } = this.#parts;
    let dueMs = Math.min(this.#serial?.dueMs ?? Infinity, this.#bluetooth?.dueMs ?? Infinity);
    if (this.#blinking !== undefined) dueMs = Math.min(dueMs, this.#blinking.dueMs);
    if (this.#isOnline && this.#serial !== undefined) dueMs = Math.min(dueMs, this.#startMs + afterStartMs);
    if (this.#bluetooth !== undefined) {
      if (ports.button !== undefined) dueMs = Math.min(dueMs, nowMs + buttonEveryMs);
      if (this.#isOnline)
        dueMs = Math.min(dueMs, Math.max(nowMs + buttonEveryMs, this.#changedMs + lingerMs));
    } else if (this.#hasRadio && !this.#isOnline) {
      dueMs = Math.min(dueMs, this.#changedMs + patienceMs);
    }
    return dueMs;
  }

  /** What comes in from outside is one turn. */
  private turn(act: (nowMs: number) => void): void {
    const { clock, turns } = this.#parts;
    if (!turns.begin()) return;
    try {
      act(clock.nowMs());
      this.#dueMs = 0;
    } catch (error) {
      turns.fail(error);
    }
    turns.end();
  }
}
