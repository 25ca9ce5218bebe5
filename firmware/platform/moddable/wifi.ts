import WiFi from "embedded:network/interface/wifi";
import type { SeenNetwork } from "../../../protocols/improv/rpc.ts";
import type { WifiCredentials } from "../../../protocols/provisioning/contact.ts";
import type { Clock, Random, Timer } from "../ports.ts";

/** Association and addresses take a few seconds; after this long the attempt is given up. */
const attemptMsMax = 20_000;
const retryMsMin = 1_000;
const retryMsMax = 60_000;
/** The SDK's figure for a station that has its addresses. */
const connected = 500;
/** Below this it is neither connected nor connecting. */
const connecting = 300;

/** Of networks in the air; the rest is not looked at. */
const seenMax = 32;

/** As Improv calls it: in capitals, with slashes between, and NO for an open network. */
function nameOf(security: string): string {
  return security === "none" || security === "open" ? "NO" : security.toUpperCase();
}

/** The Wi-Fi station, kept connected: retries for ever, doubling the pause up to a minute, each with its own jitter. */
export class WifiStation {
  #credentials: WifiCredentials | undefined;
  readonly #clock: Clock;
  readonly #random: Random;
  #wifi: WiFi | undefined;
  #timer: Timer | undefined;
  #retryMs = retryMsMin;
  #isUp = false;
  #isStarted = false;
  /** About to leave for another network: what the present one does counts no more. */
  #isLeaving = false;
  #onChange: (up: boolean) => void = () => undefined;

  /** @param credentials undefined: it waits until it is told some */
  constructor(credentials: WifiCredentials | undefined, clock: Clock, random: Random) {
    this.#credentials = credentials;
    this.#clock = clock;
    this.#random = random;
  }

  start(onChange: (up: boolean) => void): void {
    this.#onChange = onChange;
    this.#isStarted = true;
    if (this.#credentials !== undefined) this.begin();
  }

  /** Leaves for this network, on a later turn. The pauses between attempts are short again. */
  change(credentials: WifiCredentials): void {
    const { ssid, password } = credentials;
    if (this.#credentials?.ssid === ssid && this.#credentials.password === password) return;
    this.#credentials = credentials;
    if (!this.#isStarted) return;
    this.#isLeaving = true;
    this.#retryMs = retryMsMin;
    this.wait(0, () => this.begin());
  }

  /** The strongest first. While it connects nothing can be seen. */
  scan(networksMax: number, onSeen: (networks: readonly SeenNetwork[]) => void): void {
    const seen: SeenNetwork[] = [];
    const tell = () => onSeen(seen.sort((a, b) => b.rssi - a.rssi).slice(0, networksMax));
    this.#wifi ??= new WiFi({ onChanged: () => this.changed() });
    try {
      this.#wifi.scan({
        onFound: ({ SSID, RSSI, security }) => {
          if (SSID !== "" && seen.length < seenMax)
            seen.push({ ssid: SSID, rssi: RSSI, security: nameOf(security) });
        },
        onComplete: tell,
      });
    } catch {
      this.#clock.setTimer(0, tell);
    }
  }

  private begin(): void {
    this.#wifi ??= new WiFi({ onChanged: () => this.changed() });
    if (this.#isLeaving) this.#wifi.disconnect();
    this.#isLeaving = false;
    this.setUp(false);
    this.attempt();
  }

  private attempt(): void {
    this.wait(attemptMsMax, () => this.giveUp());
    const { ssid, password } = this.#credentials!;
    try {
      this.#wifi!.connect(password === "" ? { SSID: ssid } : { SSID: ssid, password });
    } catch {
      this.retry();
      return;
    }
    this.changed();
  }

  private changed(): void {
    if (this.#isLeaving) return;
    const state = this.#wifi!.connection;
    if (state >= connected) {
      this.#timer?.cancel();
      this.#retryMs = retryMsMin;
      this.setUp(true);
    } else if (state < connecting) this.retry();
  }

  /** Associated but without an address, or never associated: start over. */
  private giveUp(): void {
    this.#wifi!.disconnect();
    this.retry();
  }

  private retry(): void {
    this.setUp(false);
    const byte = new Uint8Array(1);
    this.#random.fill(byte);
    const jitterMs = Math.floor((this.#retryMs * byte[0]!) / 256);
    this.wait(this.#retryMs + jitterMs, () => this.attempt());
    this.#retryMs = Math.min(this.#retryMs * 2, retryMsMax);
  }

  private wait(delayMs: number, callback: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(delayMs, callback);
  }

  private setUp(up: boolean): void {
    if (this.#isUp === up) return;
    this.#isUp = up;
    this.#onChange(up);
  }
}
