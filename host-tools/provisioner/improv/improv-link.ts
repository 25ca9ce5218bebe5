/** A board that speaks Improv, whatever carries it, and what a person wants of it. */
import type { Outcome, Request } from "../../../protocols/improv/client.ts";
import { giftToBytes } from "../../../protocols/improv/gift.ts";
import { Command, ErrorState, type SeenNetwork } from "../../../protocols/improv/rpc.ts";
import type { WifiCredentials } from "../../../protocols/provisioning/contact.ts";
import { nodeCiphers } from "../../security/node-ciphers.ts";
import type { BoardSettings } from "../board-settings.ts";

export interface ImprovLink {
  /** How people call the board's end: its port, or its name in the air. */
  readonly name: string;
  readonly isSerial: boolean;
  /** Over Bluetooth: whether the board has something to show which one it is. */
  readonly canIdentify: boolean;
  /** One at a time. @throws {ImprovFailed} when the board goes away */
  ask(request: Request): Promise<Outcome>;
  close(): Promise<void>;
}

export type ImprovFailure =
  | "silent"
  | "gone"
  | "wrong-wifi"
  | "not-authorized"
  | "has-identity"
  | "wrong-identity"
  | "not-known"
  | "busy"
  | "no-bluetooth"
  | "no-board";

/** What was wanted could not be had; the message says why and what to do. */
export class ImprovFailed extends Error {
  override readonly name = "ImprovFailed";
  readonly code: ImprovFailure;

  constructor(code: ImprovFailure, message: string) {
    super(message);
    this.code = code;
  }
}

export interface ImprovInfo {
  readonly firmware: string;
  readonly version: string;
  readonly hardware: string;
  /** Empty for a board without an identity. */
  readonly board: string;
}

/** @throws {ImprovFailed} */
export async function boardInfo(link: ImprovLink): Promise<ImprovInfo> {
  const [texts = []] = await results(link, { kind: "ask", command: Command.deviceInfo });
  const [firmware = "", version = "", hardware = "", board = ""] = texts;
  return { firmware, version, hardware, board };
}

/** The strongest first. @throws {ImprovFailed} */
export async function seenNetworks(link: ImprovLink): Promise<readonly SeenNetwork[]> {
  const answers = (await results(link, { kind: "ask", command: Command.scan })).flat();
  const networks: SeenNetwork[] = [];
  for (let at = 0; at + 2 < answers.length; at += 3) {
    const [ssid, rssi, security] = answers.slice(at, at + 3) as [string, string, string];
    networks.push({ ssid, rssi: Number(rssi), security });
  }
  return networks.sort((a, b) => b.rssi - a.rssi);
}

/** Resolves when the board is in it. @throws {ImprovFailed} */
export async function sendWifi(link: ImprovLink, wifi: WifiCredentials): Promise<void> {
  await results(link, { kind: "wifi", wifi });
}

/** The board shows which one it is. It does not answer. @throws {ImprovFailed} */
export async function identify(link: ImprovLink): Promise<void> {
  if (!link.canIdentify) {
    throw new ImprovFailed(
      "not-known",
      `The board at ${link.name} has no light of its own to show itself with.`,
    );
  }
  await results(link, { kind: "identify" });
}

/**
 * Gives a board without an identity one, over a cable. It restarts then.
 *
 * @returns the name that it has
 * @throws {ImprovFailed}
 */
export async function giveIdentity(link: ImprovLink, settings: BoardSettings): Promise<string> {
  if (!link.isSerial) {
    throw new ImprovFailed(
      "not-known",
      "An identity is given over a cable alone: name the board's port with --port.",
    );
  }
  const { member, authority, contactKey, contact } = settings;
  const { root, signed, privateKey } = member;
  const gift = { root, signed, privateKey, authority, contactKey, contact };
  const bytes = giftToBytes(gift, (content) => nodeCiphers.sha256(content));
  const [[name = ""] = []] = await results(link, { kind: "give", gift: bytes });
  return name;
}

async function results(link: ImprovLink, request: Request): Promise<readonly (readonly string[])[]> {
  const outcome = await link.ask(request);
  if (outcome.kind === "done") return outcome.results;
  throw outcome.kind === "silent"
    ? silence(link, request, outcome.wasHeard)
    : refusal(link, request, outcome.error);
}

function silence(link: ImprovLink, { kind }: Request, wasHeard: boolean): ImprovFailed {
  if (wasHeard) {
    const doing = kind === "wifi" ? "in the midst of trying the Wi-Fi" : "in the midst of it";
    return new ImprovFailed(
      "silent",
      `The board at ${link.name} fell silent ${doing}; reset it, and try again.`,
    );
  }
  const remedy = link.isSerial
    ? "it listens for five minutes after power-on and while it has no Wi-Fi: press its reset button, and try again"
    : "go nearer to it, and try again";
  return new ImprovFailed("silent", `The board at ${link.name} does not answer; ${remedy}.`);
}

function refusal(link: ImprovLink, request: Request, error: number): ImprovFailed {
  const { name } = link;
  if (error === ErrorState.unableToConnect && request.kind === "wifi") {
    const { ssid } = request.wifi;
    return new ImprovFailed(
      "wrong-wifi",
      `The board at ${name} can't join "${ssid}": check its name and password, and that it is in reach (2.4 GHz).`,
    );
  }
  if (request.kind === "give" && error === ErrorState.notAuthorized) {
    return new ImprovFailed(
      "has-identity",
      `The board at ${name} has an identity already; to give it another, flash it with covey provision.`,
    );
  }
  if (request.kind === "give" && error === ErrorState.unknown) {
    return new ImprovFailed(
      "wrong-identity",
      `The board at ${name} refused the identity; its console says why.`,
    );
  }
  if (error === ErrorState.notAuthorized) {
    return new ImprovFailed(
      "not-authorized",
      `The board at ${name} wants to be told that you stand beside it: press its button, and try again within a minute.`,
    );
  }
  if (error === ErrorState.unknownCommand)
    return new ImprovFailed("not-known", `The board at ${name} can't do that.`);
  return new ImprovFailed(
    "busy",
    `The board at ${name} is busy (Improv's error ${error}); try again in a minute.`,
  );
}
