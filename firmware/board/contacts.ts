import {
  type Contact,
  contactStateKey,
  contactToBytes,
  numberOfSealed,
  openContact,
  type WifiCredentials,
} from "../../protocols/provisioning/contact.ts";
import {
  type ContactUse,
  contactAt,
  contactKeyAt,
  contactUseOf,
  contactUseToBytes,
} from "../../protocols/provisioning/contact-use.ts";
import { storedKeys } from "../../protocols/provisioning/stored.ts";
import type { BoardConfig, Ciphers, KeyValue, Network, Random } from "../platform/ports.ts";
import type { BoardStore } from "../storage/board-store.ts";
import type { BoardLog } from "./board-log.ts";
import { ContactRule, moveLimits } from "./contact-rule.ts";
import type { HostFinder } from "./host-finder.ts";
import type { Links } from "./links.ts";
import type { Leaving } from "./voter-turn.ts";
import type { WallTime } from "./wall-time.ts";

export const contactsLimits = Object.freeze({
  /** For the network to come up in a Wi-Fi that somebody who stands there gave the board. */
  givenWifiMs: 30_000,
});

export interface ContactsParts {
  readonly config: BoardConfig;
  readonly random: Random;
  readonly ciphers: Ciphers;
  readonly network: Network;
  /** Absent: the board stays with what its config says. */
  readonly keyValue: KeyValue | undefined;
  readonly store: BoardStore;
  readonly log: BoardLog;
  readonly links: Links;
  readonly time: WallTime;
  readonly finder: HostFinder;
  readonly leaving: Leaving;
}

/**
 * The board's two contacts, and the way from one to the other while it runs: outputs and pipelines notice nothing. Which one it is on, `ContactRule`
 * says; here they are kept, in such an order that the power may fail at any moment, and the network and the links are told.
 */
export class Contacts {
  readonly #of: ContactsParts;
  readonly #rule: ContactRule;
  #use: ContactUse;
  /** Of the one in use, and of the other; -1 for none. */
  #number = -1;
  #otherNumber = -1;
  /** The agreed state may have a newer one. */
  #hasNews = true;
  #given: GivenWifi | undefined;
  #isUp = false;

  constructor(of: ContactsParts, nowMs: number) {
    this.#of = of;
    this.#rule = new ContactRule(of.random, nowMs);
    this.#use = contactUseOf(of.keyValue ?? nothing);
    this.readNumbers();
    if (this.#number < 0 && this.#otherNumber >= 0) {
      // What is in use cannot be read any more.
      this.#use = { slot: otherSlot(this.#use.slot), isOtherTried: true };
      this.readNumbers();
    }
  }

  /** Of the contact on which the board is; undefined where it keeps none. */
  get number(): number | undefined {
    if (this.#of.keyValue === undefined) return undefined;
    return this.#rule.isAway ? this.#otherNumber : this.#number;
  }

  /** Whether it is on the contact that is not in use. */
  get isAway(): boolean {
    return this.#rule.isAway;
  }

  /** Whether it would leave for a new one. */
  wantsTurn(nowMs: number): boolean {
    return this.#rule.isDue(nowMs);
  }

  /** Brings the network to the contact in use, before it starts. */
  start(nowMs: number): void {
    const wifi = this.contactIn(this.#use.slot)?.wifi;
    if (wifi !== undefined) this.#of.network.changeWifi?.(wifi);
    if (!this.#use.isOtherTried && this.#otherNumber >= 0) this.offer(nowMs);
  }

  onStateChange(key: string): void {
    if (key === contactStateKey) this.#hasNews = true;
  }

  onStateReplaced(): void {
    this.#hasNews = true;
  }

  /** The leader spoke. */
  onLeader(nowMs: number): void {
    this.#rule.onLeader(nowMs);
  }

  /** The board's log agrees with the leader's, and all that is committed is applied. */
  onInStep(nowMs: number): void {
    if (!this.#rule.isAway) return;
    this.settle(nowMs);
    this.#of.log.write("info", "contact-in-use", "number", this.#number);
  }

  onNetworkChange(up: boolean): void {
    this.#isUp = up;
    if (!up && this.#given !== undefined) this.#given.isLeft = true;
  }

  /** In every turn. */
  run(nowMs: number, isJoined: boolean): void {
    if (this.#of.keyValue === undefined) return;
    if (this.#given !== undefined) {
      this.runGiven(this.#given, nowMs);
      return;
    }
    if (this.#hasNews && !this.#rule.isAway) this.takeNews(nowMs);
    const wasWaiting = this.#rule.isWaiting;
    const mayTry = this.#of.leaving.mayLeave("move", nowMs);
    if (!this.#rule.run(nowMs, isJoined, mayTry, this.#otherNumber >= 0)) return;
    // Before the try, not after: a contact that crashes the board is tried once.
    if (wasWaiting) this.write({ ...this.#use, isOtherTried: true });
    this.goThere();
  }

  /**
   * The board falls asleep, and wakes without memory: with the contact that it has not tried yet, or with the other one when this one led nowhere.
   */
  onSleep(): void {
    if (this.#of.keyValue === undefined || this.#otherNumber < 0 || this.#rule.isAway) return;
    if (this.#rule.isInContact && this.#use.isOtherTried) return;
    this.write({ slot: otherSlot(this.#use.slot), isOtherTried: true });
  }

  /**
   * Somebody who stands there gives the board a Wi-Fi. `onOutcome` is told once, on a later turn: true when the board is in it, and keeps it; false when it
   * could not, and is back where it was. False is given, and nothing is tried, while another is, or where the board keeps none.
   */
  tryWifi(wifi: WifiCredentials, onOutcome: (isJoined: boolean) => void, nowMs: number): boolean {
    const { keyValue, network, links } = this.#of;
    const present = this.contactIn(this.#use.slot);
    if (this.#given !== undefined || keyValue === undefined || network.changeWifi === undefined) return false;
    if (this.#rule.isAway) {
      this.#rule.goHome(nowMs);
      links.moveTo(present?.hosts ?? []);
    }
    const isLeft = !this.#isUp || isSameWifi(wifi, present?.wifi);
    this.#given = { wifi, onOutcome, isLeft, dueMs: nowMs + contactsLimits.givenWifiMs };
    network.changeWifi(wifi);
    return true;
  }

  private takeNews(nowMs: number): void {
    const { store, log } = this.#of;
    this.#hasNews = false;
    const sealed = store.get(contactStateKey);
    const number = sealed instanceof Uint8Array ? numberOfSealed(sealed) : undefined;
    if (number === undefined || number <= Math.max(this.#number, this.#otherNumber)) return;
    const contact = this.open(sealed as Uint8Array);
    if (contact === undefined) log.write("error", "contact-refused", "number", number);
    else if (this.keepOther(contact)) this.offer(nowMs);
  }

  private open(sealed: Uint8Array): Contact | undefined {
    const { ciphers, keyValue, config } = this.#of;
    const key = keyValue!.read(storedKeys.contactKey);
    const contact = key && openContact(ciphers, key, config.swarm, sealed);
    if (contact === undefined || contact.wifi !== undefined) return contact;
    return { ...contact, wifi: this.contactIn(this.#use.slot)?.wifi };
  }

  /** First that the other is untried, then the other: between the two, at worst the one before is tried once more. */
  private keepOther(contact: Contact): boolean {
    const { keyValue, log } = this.#of;
    const { slot } = this.#use;
    try {
      const present = this.contactIn(slot);
      if (present !== undefined) keyValue!.write(contactKeyAt(slot), contactToBytes(present));
      this.write({ slot, isOtherTried: false });
      keyValue!.write(contactKeyAt(otherSlot(slot)), contactToBytes(contact));
    } catch (error) {
      log.write("error", "contact-not-kept", "number", contact.number, "reason", `${error}`);
      return false;
    }
    this.#otherNumber = contact.number;
    return true;
  }

  private offer(nowMs: number): void {
    const { store, log, random } = this.#of;
    let delayMs: number = moveLimits.voterMs;
    if (!store.isVoter) {
      const seed = new Uint8Array(1);
      random.fill(seed);
      delayMs = Math.floor((moveLimits.learnerMs * seed[0]!) / 255);
    }
    this.#rule.offer(delayMs, nowMs);
    log.write("info", "contact-told", "number", this.#otherNumber, "tryInMs", delayMs);
  }

  private goThere(): void {
    const { links, network, time, finder, log } = this.#of;
    const { slot } = this.#use;
    const [to, from] = this.#rule.isAway ? [otherSlot(slot), slot] : [slot, otherSlot(slot)];
    const contact = this.contactIn(to)!;
    log.write("info", "contact-tried", "number", contact.number);
    if (contact.wifi !== undefined && !isSameWifi(contact.wifi, this.contactIn(from)?.wifi)) {
      network.changeWifi?.(contact.wifi);
    }
    links.moveTo(contact.hosts);
    time.useServer(contact.timeServer);
    finder.restart();
  }

  private settle(nowMs: number): void {
    this.write({ slot: otherSlot(this.#use.slot), isOtherTried: true });
    [this.#number, this.#otherNumber] = [this.#otherNumber, this.#number];
    this.#rule.settle(nowMs);
  }

  // A Wi-Fi that was given.

  private runGiven(given: GivenWifi, nowMs: number): void {
    const isThere = given.isLeft && this.#isUp;
    if (!isThere && nowMs < given.dueMs) return;
    this.#given = undefined;
    this.#rule.stay(nowMs);
    const isKept = isThere && this.keepGiven(given.wifi, nowMs);
    const before = isKept ? undefined : this.contactIn(this.#use.slot)?.wifi;
    if (before !== undefined) this.#of.network.changeWifi!(before);
    this.#of.log.write("info", "wifi-given", "ssid", given.wifi.ssid, "isKept", isKept ? 1 : 0);
    given.onOutcome(isKept);
  }

  /** In place of the contact in use, which is the other one from now on. */
  private keepGiven(wifi: WifiCredentials, nowMs: number): boolean {
    const present = this.contactIn(this.#use.slot);
    if (isSameWifi(wifi, present?.wifi)) return true;
    const none = { number: 0, hosts: [], timeServer: undefined };
    if (!this.keepOther({ ...none, ...present, wifi })) return false;
    this.settle(nowMs);
    // One that waited for its try was overwritten.
    this.#hasNews = true;
    return true;
  }

  // What is kept.

  /** Where there is no room, the board does so until it starts anew. */
  private write(use: ContactUse): void {
    this.#use = use;
    try {
      this.#of.keyValue!.write(storedKeys.contactUse, contactUseToBytes(use));
    } catch (error) {
      this.#of.log.write("error", "contact-use-not-kept", "reason", `${error}`);
    }
  }

  private readNumbers(): void {
    const { slot } = this.#use;
    this.#number = this.contactIn(slot)?.number ?? -1;
    this.#otherNumber = this.contactIn(otherSlot(slot))?.number ?? -1;
  }

  /** A board that was given none began with what its config says; before it moves, that is kept too. */
  private contactIn(slot: 0 | 1): Contact | undefined {
    const { keyValue, config } = this.#of;
    const stored = keyValue && contactAt(keyValue, slot);
    const isGivenNone = stored === undefined && slot === 0 && this.#use.slot === 0;
    if (!isGivenNone || config.hosts.length === 0) return stored;
    return { number: 0, wifi: undefined, hosts: config.hosts, timeServer: config.timeServer };
  }
}

interface GivenWifi {
  readonly wifi: WifiCredentials;
  readonly onOutcome: (isJoined: boolean) => void;
  /** The network before it is gone, so that the next is this one. */
  isLeft: boolean;
  readonly dueMs: number;
}

const nothing = Object.freeze({ read: () => undefined });

function otherSlot(slot: 0 | 1): 0 | 1 {
  return slot === 0 ? 1 : 0;
}

function isSameWifi(a: WifiCredentials, b: WifiCredentials | undefined): boolean {
  return a.ssid === b?.ssid && a.password === b.password;
}
