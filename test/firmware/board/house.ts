/**
 * A board in a house: Wi-Fi networks that come and go, each of which leads to some ports and not to others, and small values that outlive a power cut, which may come
 * at any write of them.
 */
import type { BoardConfig, KeyValue, Network, TcpEvents } from "../../../firmware/platform/ports.ts";
import { VirtualBoard } from "../../../firmware/platform/virtual/virtual-board.ts";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import {
  type Contact,
  contactStateKey,
  contactToBytes,
  sealContact,
  type WifiCredentials,
} from "../../../protocols/provisioning/contact.ts";
import { contactAt, contactInUse, contactUseOf } from "../../../protocols/provisioning/contact-use.ts";
import { storedKeys } from "../../../protocols/provisioning/stored.ts";
import { FlashModel } from "../storage/flash-model.ts";
import { LeaderOnTheWire } from "./leader-on-the-wire.ts";
import { SimulatedSurroundings } from "./surroundings.ts";

export const contactKey = new Uint8Array(16).fill(7);
export const oldWifi: WifiCredentials = { ssid: "old", password: "old secret" };
export const newWifi: WifiCredentials = { ssid: "new", password: "new secret" };
/** From being asked until the board is in a network. */
const joinMs = 3_000;

export function contactOf(number: number, over: Partial<Contact> = {}): Contact {
  const hosts = [{ name: "main", address: "192.0.2.7", port: 7883 }];
  return { number, wifi: oldWifi, hosts, timeServer: undefined, ...over };
}

/** What is around the board, and stays when its power is cut. */
export class House {
  /** On the air, by their names: the password, and which ports one comes to from there; undefined for all. */
  readonly air = new Map<string, { password: string; ports?: readonly number[] }>();
  readonly values = new Map<string, Uint8Array>([
    [storedKeys.contactKey, contactKey],
    [storedKeys.contact, contactToBytes(contactOf(0))],
  ]);
  readonly leader: LeaderOnTheWire;
  /** Writes of small values until the power fails, in the middle of the next. */
  writesLeft = Infinity;
  writes = 0;

  constructor(leader = new LeaderOnTheWire()) {
    this.leader = leader;
    this.air.set(oldWifi.ssid, { password: oldWifi.password });
  }

  /** Networks with these credentials, and no others. */
  only(...networks: readonly (WifiCredentials & { ports?: readonly number[] })[]): void {
    this.air.clear();
    for (const { ssid, ...network } of networks) this.air.set(ssid, network);
  }

  /** The swarm agrees on this contact. */
  tell(contact: Contact, key = contactKey): void {
    const nonce = new Uint8Array(13).fill(contact.number);
    this.leader.put(contactStateKey, sealContact(nodeCiphers, key, "greenhouse", contact, nonce));
  }

  /** Of the contacts in the two slots, the one in use first. */
  get kept(): (number | undefined)[] {
    const read = { read: (key: string) => this.values.get(key) };
    const { slot } = contactUseOf(read);
    return [contactAt(read, slot)?.number, contactAt(read, slot === 0 ? 1 : 0)?.number];
  }
}

export class HouseBoard extends SimulatedSurroundings {
  readonly house: House;
  readonly board: VirtualBoard;
  wifi: WifiCredentials | undefined;
  #isUp = false;
  #joinAtMs = 0;
  #onChange: ((up: boolean) => void) | undefined;

  constructor(house: House, flash = FlashModel.blank(16, 4096), nowMs = 0, over: Partial<BoardConfig> = {}) {
    super(house.leader, flash, nowMs, { hosts: contactOf(0).hosts, ...over });
    this.house = house;
    const { openUdp } = this.world.network;
    const network = { ...this.#network(), ...(openUdp && { openUdp }) };
    this.board = new VirtualBoard({ ...this.world, network, keyValue: this.#keyValue() }, () => {});
  }

  /** In step with the leader, at this moment. */
  get isInContact(): boolean {
    const { board } = this.board;
    return board?.lifeState === "running" && board.linkState === "joined";
  }

  get contact(): number | undefined {
    return this.leader.healths.at(-1)?.contact;
  }

  /** Whether the power was cut on the way: then nothing happens until `reboot`. */
  get isCut(): boolean {
    return this.house.writesLeft < 0;
  }

  run(forMs: number): this {
    const endMs = this.nowMs + forMs;
    while (this.nowMs <= endMs && !this.isCut && this.sleepsMs.length === 0) {
      this.leader.tick(this.nowMs);
      this.#tick();
      for (let turns = 0; this.board.nextDeadlineMs <= this.nowMs && !this.isCut; turns++) {
        if (turns > 1000) throw new Error(`never at rest: ${this.lines.slice(-5).join("; ")}`);
        this.board.turn(this.nowMs);
      }
      const next = Math.min(this.board.nextDeadlineMs, this.leader.deadlineMs, this.nowMs + 500);
      this.nowMs = Math.max(this.nowMs + 10, Math.ceil(next));
    }
    return this;
  }

  /** Until the board is in contact by the contact with this number; how long that took, at most an hour. */
  until(number: number): number {
    const fromMs = this.nowMs;
    while (this.nowMs - fromMs < 3_600_000) {
      const isThere = this.isInContact && this.board.board !== undefined && this.house.kept[0] === number;
      if (isThere && !this.isCut) break;
      if (this.isCut) throw new Error("the power was cut");
      this.run(500);
    }
    return this.nowMs - fromMs;
  }

  /** The power comes back: another board on what is left. */
  reboot(isWaking = false): HouseBoard {
    this.board.powerOff();
    this.leader.setNetwork(false);
    this.house.writesLeft = Infinity;
    // As a platform does: what is in use is what the board starts with.
    const { hosts } = contactInUse({ read: (key) => this.house.values.get(key) })!;
    const again = new HouseBoard(this.house, this.flash.reboot(), this.nowMs, { ...this.config, hosts });
    if (isWaking) (again.world.system as { startReason?: string }).startReason = "sleep";
    return again;
  }

  #keyValue(): KeyValue {
    const { house } = this;
    const change = (act: () => void) => {
      if (this.isCut) return;
      house.writes++;
      house.writesLeft--;
      if (house.writesLeft >= 0) act();
      else this.flash.power = 0;
    };
    return {
      read: (key) => house.values.get(key)?.slice(),
      write: (key, value) => change(() => house.values.set(key, value.slice())),
      delete: (key) => change(() => house.values.delete(key)),
    };
  }

  #network(): Network {
    return {
      start: (onChange) => {
        this.#onChange = onChange;
        this.#joinAtMs = this.nowMs + joinMs;
      },
      changeWifi: (wifi) => {
        if (wifi.ssid === this.wifi?.ssid && wifi.password === this.wifi.password) return;
        this.wifi = wifi;
        this.#go(false);
      },
      connect: (host, port, events: TcpEvents) => {
        const ports = this.house.air.get(this.wifi!.ssid)?.ports;
        const isThere = host === "192.0.2.7" && (ports?.includes(port) ?? true);
        // What is sent elsewhere gets lost.
        return isThere ? this.leader.connect(host, port, events) : { write: () => false, close: () => {} };
      },
    };
  }

  #tick(): void {
    const isOnAir =
      this.wifi !== undefined && this.house.air.get(this.wifi.ssid)?.password === this.wifi.password;
    if (this.#isUp && !isOnAir) this.#go(false);
    else if (!this.#isUp && isOnAir && this.nowMs >= this.#joinAtMs) this.#go(true);
  }

  #go(up: boolean): void {
    if (!up) this.#joinAtMs = this.nowMs + joinMs;
    if (up === this.#isUp) return;
    this.#isUp = up;
    if (!up) this.leader.setNetwork(false);
    this.#onChange!(up);
  }
}
