/** The Wi-Fi networks around a simulated board: it is online as long as it is in one of them, with the right password. */
import type { SeenNetwork } from "../../../protocols/improv/rpc.ts";
import type { WifiCredentials } from "../../../protocols/provisioning/contact.ts";

export interface SimulatedAccessPoint extends WifiCredentials {
  /** dBm. */
  readonly rssi: number;
  /** From its start, or from when it is asked, until the board has an address; also how long a wrong password takes to be refused. */
  readonly joinMs: number;
  /** What can be connected to from there, such as `127.0.0.1:7883`; undefined for everything. */
  readonly reaches?: readonly string[] | undefined;
}

export class WifiAir {
  #accessPoints: readonly SimulatedAccessPoint[];
  readonly #listeners = new Set<() => void>();

  constructor(accessPoints: readonly SimulatedAccessPoint[]) {
    this.#accessPoints = accessPoints;
  }

  /** undefined where there is none of that name, or the password is another. */
  find({ ssid, password }: WifiCredentials): SimulatedAccessPoint | undefined {
    return this.#accessPoints.find((each) => each.ssid === ssid && each.password === password);
  }

  /** From now on; who is in a network that is no more loses it at once. */
  replace(accessPoints: readonly SimulatedAccessPoint[]): void {
    this.#accessPoints = accessPoints;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Gives what ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The strongest first. */
  seen(networksMax: number): SeenNetwork[] {
    const all = this.#accessPoints.map(({ ssid, rssi, password }) => {
      return { ssid, rssi, security: password === "" ? "NO" : "WPA2" };
    });
    return all.sort((a, b) => b.rssi - a.rssi).slice(0, networksMax);
  }
}

/** A board's station: tries its network again and again, as a chip's does. */
export class WifiStation {
  readonly #air: WifiAir;
  #wifi: WifiCredentials | undefined;
  #onChange: ((up: boolean) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isUp = false;
  #isOff = false;
  readonly #deafen: () => void;

  constructor(air: WifiAir) {
    this.#air = air;
    this.#deafen = air.onChange(() => this.#onAir());
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Name of the network that it is in; undefined while it is in none. */
  get network(): string | undefined {
    return this.#isUp ? this.#wifi?.ssid : undefined;
  }

  start(onChange: (up: boolean) => void): void {
    this.#onChange = onChange;
    this.#attempt();
  }

  /** False, and nothing happens, when that is the network that it tries or is in. */
  change(wifi: WifiCredentials): boolean {
    if (this.#wifi?.ssid === wifi.ssid && this.#wifi.password === wifi.password) return false;
    this.#wifi = wifi;
    this.#setUp(false);
    if (this.#onChange !== undefined) this.#attempt();
    return true;
  }

  /** Whether what the board is in leads there. */
  leadsTo(host: string, port: number): boolean {
    const point = this.#isUp ? this.#air.find(this.#wifi!) : undefined;
    return point !== undefined && (point.reaches?.includes(`${host}:${port}`) ?? true);
  }

  powerOff(): void {
    this.#isOff = true;
    this.#deafen();
    clearTimeout(this.#timer);
  }

  #attempt(): void {
    clearTimeout(this.#timer);
    if (this.#wifi === undefined || this.#isOff) return;
    const found = this.#air.find(this.#wifi);
    this.#timer = setTimeout(
      () => (found === undefined ? this.#attempt() : this.#setUp(true)),
      found?.joinMs ?? retryMs,
    );
  }

  #onAir(): void {
    if (!this.#isUp || this.#air.find(this.#wifi!) !== undefined) return;
    this.#setUp(false);
    this.#attempt();
  }

  #setUp(isUp: boolean): void {
    if (this.#isUp === isUp || this.#isOff) return;
    this.#isUp = isUp;
    this.#onChange?.(isUp);
  }
}

const retryMs = 1000;
const scanMs = 200;

/** What a board sees, after the time that a look around takes. */
export function lookAround(
  air: WifiAir,
  networksMax: number,
  onSeen: (seen: readonly SeenNetwork[]) => void,
): void {
  setTimeout(() => onSeen(air.seen(networksMax)), scanMs).unref();
}
