/**
 * A board that has no identity yet: it belongs to no swarm and runs nothing but Improv, over which it may be given one, and a Wi-Fi.
 */
import { giftFromBytes } from "../../protocols/improv/gift.ts";
import {
  type Contact,
  contactFromBytes,
  contactToBytes,
  type WifiCredentials,
} from "../../protocols/provisioning/contact.ts";
import { storedKeys } from "../../protocols/provisioning/stored.ts";
import { IdentityError, readIdentity } from "../../protocols/security/identity/identity.ts";
import { BoardLog } from "../board/board-log.ts";
import type { Turns } from "../board/turns.ts";
import { type Ports, type Timer, watchdogMs } from "../platform/ports.ts";
import { Improv } from "./improv.ts";
import type { WifiSwitch } from "./wifi-switch.ts";

export const namelessLimits = Object.freeze({
  /** A Wi-Fi that is not joined in this time can't be. */
  joinMs: 30_000,
  /** So that the answer gets out before the restart. */
  restartMs: 1_000,
});

export class Nameless implements Turns, WifiSwitch {
  readonly #ports: Ports;
  readonly #log: BoardLog;
  readonly #improv: Improv;
  #timer: Timer | undefined;
  #restartMs = Infinity;
  #isHalted = false;
  /** The attempt that is under way. */
  #attempt: Attempt | undefined;

  constructor(ports: Ports) {
    const { clock, network, system } = ports;
    this.#ports = ports;
    this.#log = new BoardLog(system);
    const takeGift = ports.keyValue === undefined ? undefined : (gift: Uint8Array) => this.takeGift(gift);
    const parts = { clock, ports, network, log: this.#log, turns: this, wifi: this, takeGift };
    this.#improv = new Improv(parts, system.config.model, "");
  }

  start(): void {
    this.#log.write("warn", "no-identity");
    this.#ports.network.start((isUp) => this.onNetworkChange(isUp));
    this.end();
  }

  // Turns.

  begin(): boolean {
    return !this.#isHalted;
  }

  fail(error: unknown): void {
    this.restart(`${error}`);
  }

  end(): void {
    if (this.#isHalted) return;
    const { clock, system } = this.#ports;
    const nowMs = clock.nowMs();
    if (nowMs >= this.#restartMs) {
      this.restart("given an identity");
      return;
    }
    if (this.#attempt !== undefined && nowMs >= this.#attempt.endMs) this.endAttempt(this.#attempt.isThere);
    if (nowMs >= this.#improv.dueMs) this.#improv.run(nowMs);
    system.feedWatchdog?.(watchdogMs);
    const attemptMs = this.#attempt?.endMs ?? Infinity;
    const dueMs = Math.min(this.#improv.dueMs, this.#restartMs, attemptMs, nowMs + watchdogMs / 10);
    this.#timer?.cancel();
    this.#timer = clock.setTimer(Math.max(0, dueMs - nowMs), () => this.end());
  }

  // The Wi-Fi.

  tryWifi(wifi: WifiCredentials, onOutcome: (isJoined: boolean) => void): boolean {
    const { clock, network } = this.#ports;
    if (this.#attempt !== undefined || network.changeWifi === undefined) return false;
    const before = this.storedContact()?.wifi;
    const isThere = this.#improv.isOnline && before?.ssid === wifi.ssid && before.password === wifi.password;
    const endMs = clock.nowMs() + (isThere ? 0 : namelessLimits.joinMs);
    this.#attempt = { wifi, endMs, isThere, onOutcome };
    if (!isThere) network.changeWifi(wifi);
    return true;
  }

  private onNetworkChange(isUp: boolean): void {
    if (this.#isHalted) return;
    if (isUp && this.#attempt !== undefined) this.endAttempt(true);
    this.#improv.onNetworkChange(isUp);
    this.end();
  }

  /** A Wi-Fi that works is kept; after one that does not the board goes back to the one before it, if there was one. */
  private endAttempt(isJoined: boolean): void {
    const { wifi, onOutcome } = this.#attempt!;
    const before = this.storedContact();
    this.#attempt = undefined;
    if (isJoined) this.keepContact({ ...(before ?? noContact), wifi });
    else if (before?.wifi !== undefined) this.#ports.network.changeWifi!(before.wifi);
    onOutcome(isJoined);
  }

  // The gift.

  /** The identity last: whoever has one has all. */
  private takeGift(bytes: Uint8Array): string | undefined {
    const { ciphers } = this.#ports;
    const gift = giftFromBytes(bytes, (content) => ciphers.sha256(content));
    if (gift === undefined) return this.refuse("it came changed");
    const { root, signed, privateKey, authority, contactKey, contact } = gift;
    const name = this.nameIn(root, signed, privateKey);
    if (name === undefined) return undefined;
    const values = this.#ports.keyValue!;
    values.write(storedKeys.root, root);
    values.write(storedKeys.privateKey, privateKey);
    if (authority !== undefined) values.write(storedKeys.authority, authority);
    if (contactKey !== undefined) values.write(storedKeys.contactKey, contactKey);
    this.keepContact({ ...contact, wifi: contact.wifi ?? this.storedContact()?.wifi });
    values.write(storedKeys.signed, signed);
    this.#log.write("info", "identity-given", "board", name);
    this.#restartMs = this.#ports.clock.nowMs() + namelessLimits.restartMs;
    return name;
  }

  private nameIn(root: Uint8Array, signed: Uint8Array, privateKey: Uint8Array): string | undefined {
    const { ciphers } = this.#ports;
    try {
      const { name, role, publicKey } = readIdentity(ciphers, root, signed);
      if (role !== "board") return this.refuse(`it is that of ${name}, a ${role}`);
      const isOwn = ciphers.verify(publicKey, signed, ciphers.sign(privateKey, signed));
      return isOwn ? name : this.refuse("its private key is another's");
    } catch (error) {
      if (error instanceof IdentityError) return this.refuse(error.message);
      throw error;
    }
  }

  private refuse(reason: string): undefined {
    this.#log.write("error", "identity-refused", "reason", reason);
  }

  private storedContact(): Contact | undefined {
    const bytes = this.#ports.keyValue?.read(storedKeys.contact);
    return bytes && contactFromBytes(bytes);
  }

  private keepContact(contact: Contact): void {
    this.#ports.keyValue?.write(storedKeys.contact, contactToBytes(contact));
  }

  private restart(reason: string): void {
    if (this.#isHalted) return;
    this.#isHalted = true;
    this.#timer?.cancel();
    this.#ports.system.restart(reason);
  }
}

interface Attempt {
  readonly wifi: WifiCredentials;
  readonly endMs: number;
  /** It is in that Wi-Fi already. */
  readonly isThere: boolean;
  onOutcome(isJoined: boolean): void;
}

const noContact: Contact = Object.freeze({
  number: 0,
  wifi: undefined,
  hosts: Object.freeze([]),
  timeServer: undefined,
});
