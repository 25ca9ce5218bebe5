/**
 * The computer's side of Improv: one request at a time, a state machine without a wire or a clock. What is asked can be asked again, so that a packet
 * which got lost costs a second and no more.
 */
import type { WifiCredentials } from "../provisioning/contact.ts";
import { encodePiece } from "./gift.ts";
import {
  Command,
  decodeResult,
  ErrorState,
  encodeCommand,
  encodeWifi,
  identifyCommand,
  State,
} from "./rpc.ts";
import { serviceLimits } from "./service.ts";

export const clientLimits = Object.freeze({
  /** A command that got no answer is sent again after this. */
  resendMs: 1_000,
  sendsMax: 8,
  /** A board looks for networks for some seconds. */
  scanMs: 5_000,
  /** How often the state is asked for during an attempt, as its result may be lost. */
  pollMs: 2_000,
  /** The board gives an attempt up itself; beyond that it is silent. */
  attemptMs: serviceLimits.attemptMs + 10_000,
  /** A request that gets nowhere, however often its parts are sent. */
  requestMs: 60_000,
  /** Over Bluetooth, where nothing gets lost, an answer comes within this. */
  answerMs: 15_000,
  resultsMax: 64,
});

export type Request =
  | { readonly kind: "wifi"; readonly wifi: WifiCredentials }
  /** One that is answered with results: `deviceInfo`, `scan`, `hostname`, `deviceName`, `networkState`. */
  | { readonly kind: "ask"; readonly command: number }
  /** Bluetooth: has no answer. */
  | { readonly kind: "identify" }
  /** Serial alone: `gift.ts`. */
  | { readonly kind: "give"; readonly gift: Uint8Array };

export type Outcome =
  /** `results`: the texts of each; for "give" the board's name. */
  | { readonly kind: "done"; readonly results: readonly (readonly string[])[] }
  /** `error`: of `ErrorState`. */
  | { readonly kind: "refused"; readonly error: number }
  /** The board says nothing; `wasHeard`: it did before. */
  | { readonly kind: "silent"; readonly wasHeard: boolean };

export interface ClientEvents {
  /** A command, less what its wire puts around it. */
  onSend(command: Uint8Array): void;
  /** Once for a request. */
  onOutcome(outcome: Outcome): void;
  onState(state: number): void;
}

export class ImprovClient {
  readonly #events: ClientEvents;
  readonly #isSerial: boolean;
  #request: Request | undefined;
  #command: Uint8Array = new Uint8Array(0);
  #sends = 0;
  #resendMs = Infinity;
  #endMs = Infinity;
  #state: number | undefined;
  /** The board tries the credentials: from now on the outcome is waited for. */
  #isTrying = false;
  #results: (readonly string[])[] = [];
  #wasHeard = false;

  /** `isSerial`: packets may get lost, and the state can be asked for; else each answer comes as a notification. */
  constructor(events: ClientEvents, isSerial: boolean) {
    this.#events = events;
    this.#isSerial = isSerial;
  }

  /** What the board last said; undefined before it said anything. */
  get state(): number | undefined {
    return this.#state;
  }

  get isBusy(): boolean {
    return this.#request !== undefined;
  }

  /** When `run` has something to do; Infinity for never. */
  get dueMs(): number {
    return this.isBusy ? Math.min(this.#resendMs, this.#endMs) : Infinity;
  }

  /** Throws `Error` while another request is under way. */
  start(request: Request, nowMs: number): void {
    if (this.isBusy) throw new Error("One request at a time.");
    this.#request = request;
    this.#isTrying = false;
    this.#sends = 0;
    this.#endMs = nowMs + (this.#isSerial ? clientLimits.requestMs : clientLimits.answerMs);
    this.#command = commandOf(request);
    this.send(nowMs);
    if (request.kind === "identify") this.end({ kind: "done", results: [] });
  }

  onState(state: number, nowMs: number): void {
    this.#wasHeard = true;
    const before = this.#state;
    this.#state = state;
    if (state !== before) this.#events.onState(state);
    if (this.#request?.kind !== "wifi") return;
    if (state === State.provisioning) this.onTrying(nowMs);
    else if (!this.#isTrying) return;
    else if (state === State.provisioned) this.end({ kind: "done", results: [] });
    // Back where it was: the error that said so was lost, or is yet to come.
    else if (this.#isSerial) this.end({ kind: "refused", error: ErrorState.unableToConnect });
  }

  onError(error: number, nowMs: number): void {
    this.#wasHeard = true;
    const request = this.#request;
    if (request === undefined || error === ErrorState.none) return;
    // Otherwise it is of an earlier attempt.
    const isOurs = error !== ErrorState.unableToConnect || this.#isTrying;
    if (!isOurs) return;
    if (error === ErrorState.invalid && this.#isSerial) this.onDamage(request, nowMs);
    else this.end({ kind: "refused", error });
  }

  /** As it came, less what its wire puts around it. What is no answer to what was asked is dropped. */
  onResult(bytes: Uint8Array, nowMs: number): void {
    this.#wasHeard = true;
    const request = this.#request;
    const result = decodeResult(bytes);
    if (request === undefined || result === undefined || result.command !== this.#command[0]) return;
    const { texts } = result;
    if (request.kind === "give") this.giveOn(request.gift, texts, nowMs);
    else if (result.command !== Command.scan || !this.#isSerial) this.end({ kind: "done", results: [texts] });
    else if (texts.length === 0) this.end({ kind: "done", results: this.#results });
    else if (this.#results.length < clientLimits.resultsMax) this.#results.push(texts);
  }

  run(nowMs: number): void {
    if (!this.isBusy) return;
    if (nowMs >= this.#endMs) this.end({ kind: "silent", wasHeard: this.#wasHeard });
    else if (nowMs < this.#resendMs) return;
    else if (this.#isTrying) this.poll(nowMs);
    else if (this.#sends < clientLimits.sendsMax) this.send(nowMs);
    else this.end({ kind: "silent", wasHeard: this.#wasHeard });
  }

  private send(nowMs: number): void {
    const { scanMs, resendMs } = clientLimits;
    const isScan = this.#command[0] === Command.scan;
    this.#results = [];
    this.#sends++;
    this.#resendMs = this.#isSerial ? nowMs + (isScan ? scanMs : resendMs) : Infinity;
    this.#events.onSend(this.#command);
  }

  private onTrying(nowMs: number): void {
    if (this.#isTrying) return;
    this.#isTrying = true;
    this.#endMs = nowMs + clientLimits.attemptMs;
    this.#resendMs = this.#isSerial ? nowMs + clientLimits.pollMs : Infinity;
  }

  private poll(nowMs: number): void {
    this.#resendMs = nowMs + clientLimits.pollMs;
    this.#events.onSend(encodeCommand(Command.currentState, noData));
  }

  /** The command was changed on its way, or a piece of the gift was lost: it comes again, and the gift from its beginning. */
  private onDamage(request: Request, nowMs: number): void {
    if (this.#isTrying) return;
    if (request.kind === "give") this.#command = pieceFrom(request.gift, 0);
    this.#resendMs = Math.min(this.#resendMs, nowMs + damageMs);
  }

  private giveOn(gift: Uint8Array, [wanted, name]: readonly string[], nowMs: number): void {
    if (name !== undefined) {
      this.end({ kind: "done", results: [[name]] });
      return;
    }
    const offset = Number(wanted);
    if (!Number.isInteger(offset) || offset <= 0 || offset >= gift.length) return;
    const next = pieceFrom(gift, offset);
    // The answer to a piece that went twice.
    if (next[2] === this.#command[2] && next[3] === this.#command[3]) return;
    this.#command = next;
    this.#sends = 0;
    this.send(nowMs);
  }

  private end(outcome: Outcome): void {
    this.#request = undefined;
    this.#command = noData;
    this.#events.onOutcome(outcome);
  }
}

/** Not at once, or a wire that is noise would be filled. */
const damageMs = 250;
const noData: Uint8Array = new Uint8Array(0);

function commandOf(request: Request): Uint8Array {
  switch (request.kind) {
    case "wifi":
      return encodeCommand(Command.sendWifi, encodeWifi(request.wifi));
    case "ask":
      return encodeCommand(request.command, noData);
    case "identify":
      return encodeCommand(identifyCommand, noData);
    case "give":
      return pieceFrom(request.gift, 0);
  }
}

function pieceFrom(gift: Uint8Array, offset: number): Uint8Array {
  return encodeCommand(Command.give, encodePiece(gift, offset));
}
