/**
 * The board's side of Improv: a state machine without a wire, a clock or a radio.
 *
 * ```
 *  authorization   button   authorized   credentials   provisioning   joined   provisioned
 *    required    ---------> (a minute) --------------> (45 s at most) -------->
 *       ^                    |     ^                      |
 *       +--------------------+     +----------------------+  no such Wi-Fi, wrong password, no address in time: error 3
 *            time over
 * ```
 *
 * A serial line needs no authorization: whoever has the cable could flash the board. Nor is it over there when the board is provisioned: it
 * takes other credentials still.
 */
import type { WifiCredentials } from "../provisioning/contact.ts";
import { GiftAssembler } from "./gift.ts";
import {
  Command,
  decodeCommand,
  decodeWifi,
  ErrorState,
  encodeResult,
  identifyCommand,
  NetworkFlag,
  type Rpc,
  resultBytesOf,
  rpcDataBytesMax,
  type SeenNetwork,
  State,
} from "./rpc.ts";

export const serviceLimits = Object.freeze({
  /** An attempt at a Wi-Fi counts as failed after this: association and addresses take a few seconds, a second try as many. */
  attemptMs: 45_000,
  /** The specification's suggestion. */
  authorizedMs: 60_000,
  networksMax: 16,
});

/** What the service asks of its board. */
export interface ServiceBoard {
  /** Firmware, its version, hardware, the board's name: empty for one that has none yet. */
  readonly info: readonly [string, string, string, string];
  /** Whether it is in a Wi-Fi. */
  readonly isOnline: boolean;
  /** Whether it has something to show with which board it is. */
  readonly canIdentify: boolean;
  readonly canScan: boolean;
  /** Whether it has no identity yet. */
  readonly canTakeGift: boolean;
  /** Tries this Wi-Fi; how it went is told with `onWifi`. False while it tries another. */
  useWifi(wifi: WifiCredentials): boolean;
  identify(): void;
  /** Looks for networks; what it sees is told with `onNetworks`. */
  scan(): void;
  /** Keeps a gift's bytes and gives the name that the board has from now on, or undefined when it is none for it. */
  take(gift: Uint8Array): string | undefined;
}

/** Where the service's words go. Bytes are the receiver's to keep. */
export interface ServiceWire {
  readonly isSerial: boolean;
  state(state: number): void;
  error(error: number): void;
  result(bytes: Uint8Array): void;
}

export class ImprovService {
  readonly #board: ServiceBoard;
  readonly #wire: ServiceWire;
  readonly #needsAuthorization: boolean;
  #state: number;
  #error: number = ErrorState.none;
  /** When the attempt or the authorization is over. */
  #dueMs = Infinity;
  /** What it tries, or is in because it was told so. */
  #wifi: WifiCredentials | undefined;
  #isScanning = false;
  #gift: GiftAssembler | undefined;
  #givenName: string | undefined;

  constructor(board: ServiceBoard, wire: ServiceWire, needsAuthorization: boolean) {
    this.#board = board;
    this.#wire = wire;
    this.#needsAuthorization = needsAuthorization;
    this.#state = board.isOnline ? State.provisioned : this.ready;
  }

  get state(): number {
    return this.#state;
  }

  /** When `run` has something to do; Infinity for never. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** A command as it came, less what its wire puts around it. */
  take(bytes: Uint8Array, nowMs: number): void {
    const rpc = decodeCommand(bytes);
    if (rpc === undefined) this.refuse();
    else this.takeCommand(rpc, nowMs);
  }

  takeCommand({ command, data }: Rpc, nowMs: number): void {
    this.setError(ErrorState.none);
    const error = this.obey(command, data, nowMs);
    if (error !== ErrorState.none) this.setError(error);
  }

  /** What came was no command. */
  refuse(): void {
    this.setError(ErrorState.invalid);
  }

  /** Somebody has pressed the board's button. */
  onButton(nowMs: number): void {
    if (this.#state !== State.authorizationRequired && this.#state !== State.authorized) return;
    this.enterReady(nowMs, State.authorized);
  }

  /** How the attempt ended. One that was given up may still succeed: then `onOnline` tells. */
  onWifi(isJoined: boolean, nowMs: number): void {
    if (this.#state !== State.provisioning) return;
    if (isJoined) {
      this.enter(State.provisioned, Infinity);
      this.#wire.result(encodeResult(Command.sendWifi, []));
    } else {
      this.#wifi = undefined;
      this.setError(ErrorState.unableToConnect);
      this.enterReady(nowMs, State.authorized);
    }
  }

  /** The board has come into a Wi-Fi or lost it, not by an attempt. */
  onOnline(isOnline: boolean, nowMs: number): void {
    if (this.#state === State.provisioning) return;
    this.#wifi = undefined;
    if (isOnline) this.enter(State.provisioned, Infinity);
    else if (this.#state === State.provisioned) this.enterReady(nowMs, this.ready);
  }

  onNetworks(networks: readonly SeenNetwork[]): void {
    if (!this.#isScanning) return;
    this.#isScanning = false;
    if (this.#wire.isSerial) this.tellOneByOne(networks);
    else this.tellTogether(networks);
  }

  run(nowMs: number): void {
    if (nowMs < this.#dueMs) return;
    if (this.#state === State.provisioning) this.onWifi(false, nowMs);
    else this.enter(State.authorizationRequired, Infinity);
  }

  /** The error that comes of it. */
  private obey(command: number, data: Uint8Array, nowMs: number): number {
    const { isSerial } = this.#wire;
    if (command === Command.sendWifi) return this.tryWifi(data, nowMs);
    if (command === Command.give && isSerial) return this.takeGift(data);
    if (command === Command.hostname) return this.tellName(command, data, ErrorState.badHostname);
    if (command === Command.deviceName) return this.tellName(command, data, ErrorState.unknown);
    if (data.length > 0) return ErrorState.invalid;
    if (command === Command.deviceInfo) return this.answer(command, this.#board.info);
    if (command === Command.scan) return this.scan();
    if (command === identifyCommand && !isSerial) return this.identify();
    if (command === Command.currentState && isSerial) return this.tellState();
    if (command === Command.networkState && isSerial) {
      const flags = NetworkFlag.wifi | (this.#board.isOnline ? NetworkFlag.online : 0);
      return this.answer(command, [`${flags}`]);
    }
    return ErrorState.unknownCommand;
  }

  private tryWifi(data: Uint8Array, nowMs: number): number {
    if (this.#state === State.authorizationRequired) return ErrorState.notAuthorized;
    const wifi = decodeWifi(data);
    if (wifi === undefined) return ErrorState.invalid;
    // The same command again, because our answer was lost: the attempt goes on.
    if (this.#state === State.provisioning) {
      this.#wire.state(this.#state);
      return ErrorState.none;
    }
    // Or once it is over: the board stays where it is.
    if (this.#state === State.provisioned && isSameWifi(wifi, this.#wifi)) {
      this.#wire.state(this.#state);
      return this.answer(Command.sendWifi, []);
    }
    if (!this.#board.useWifi(wifi)) return ErrorState.unknown;
    this.#wifi = wifi;
    this.enter(State.provisioning, nowMs + serviceLimits.attemptMs);
    return ErrorState.none;
  }

  private takeGift(data: Uint8Array): number {
    if (this.#givenName !== undefined) return this.answer(Command.give, ["", this.#givenName]);
    if (!this.#board.canTakeGift) return ErrorState.notAuthorized;
    this.#gift ??= new GiftAssembler();
    const wanted = this.#gift.push(data);
    if (wanted < 0) return ErrorState.invalid;
    const whole = this.#gift.takeWhole();
    if (whole === undefined) return this.answer(Command.give, [`${wanted}`]);
    this.#gift = undefined;
    this.#givenName = this.#board.take(whole);
    if (this.#givenName === undefined) return ErrorState.unknown;
    return this.answer(Command.give, [`${wanted}`, this.#givenName]);
  }

  /** A board is called what its identity says, so the name can be asked for but not set. */
  private tellName(command: number, data: Uint8Array, refusal: number): number {
    if (this.#state === State.authorizationRequired) return ErrorState.notAuthorized;
    return data.length > 0 ? refusal : this.answer(command, [this.#board.info[3]]);
  }

  private tellState(): number {
    this.#wire.state(this.#state);
    if (this.#state === State.provisioned) this.answer(Command.currentState, []);
    return ErrorState.none;
  }

  /** Looking for networks would break off an attempt. */
  private scan(): number {
    if (!this.#board.canScan) return ErrorState.unknownCommand;
    if (this.#state === State.provisioning) return ErrorState.unknown;
    if (this.#isScanning) return ErrorState.none;
    this.#isScanning = true;
    this.#board.scan();
    return ErrorState.none;
  }

  private identify(): number {
    if (!this.#board.canIdentify) return ErrorState.unknownCommand;
    this.#board.identify();
    return ErrorState.none;
  }

  private tellOneByOne(networks: readonly SeenNetwork[]): void {
    const count = Math.min(networks.length, serviceLimits.networksMax);
    for (let i = 0; i < count; i++) {
      const { ssid, rssi, security } = networks[i]!;
      this.answer(Command.scan, [ssid, `${rssi}`, security === "NO" ? "NO" : "YES"]);
    }
    this.answer(Command.scan, []);
  }

  /** As many as fit one result. */
  private tellTogether(networks: readonly SeenNetwork[]): void {
    const texts: string[] = [];
    let bytes = 0;
    for (const { ssid, rssi, security } of networks) {
      const level = `${rssi}`;
      bytes += resultBytesOf(ssid) + resultBytesOf(level) + resultBytesOf(security);
      if (bytes > rpcDataBytesMax) break;
      texts.push(ssid, level, security);
    }
    this.answer(Command.scan, texts);
  }

  private answer(command: number, texts: readonly string[]): number {
    this.#wire.result(encodeResult(command, texts));
    return ErrorState.none;
  }

  private get ready(): number {
    return this.#needsAuthorization ? State.authorizationRequired : State.authorized;
  }

  private enterReady(nowMs: number, state: number): void {
    const isLimited = this.#needsAuthorization && state === State.authorized;
    this.enter(state, isLimited ? nowMs + serviceLimits.authorizedMs : Infinity);
  }

  private enter(state: number, dueMs: number): void {
    this.#dueMs = dueMs;
    if (this.#state === state) return;
    this.#state = state;
    this.#wire.state(state);
  }

  /** Each command is answered with the error state, also where it stays the same. */
  private setError(error: number): void {
    if (error === ErrorState.none && this.#error === error && !this.#wire.isSerial) return;
    this.#error = error;
    this.#wire.error(error);
  }
}

function isSameWifi(a: WifiCredentials, b: WifiCredentials | undefined): boolean {
  return a.ssid === b?.ssid && a.password === b.password;
}
