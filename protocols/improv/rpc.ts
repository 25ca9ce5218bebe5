/**
 * What Improv's two ends say to each other, whatever carries it (improv-wifi.com/serial; improv-wifi.com/ble, 2.4).
 *
 * ```
 * command   [command, length, data ...]
 * result    [command, length, (length, text) ...]
 * ```
 */
import { contactLimits, type WifiCredentials } from "../provisioning/contact.ts";
import { readUtf8, utf8Length, writeUtf8 } from "../text/utf8.ts";

/** Where the board is. */
export const State = Object.freeze({
  /** Bluetooth alone: somebody is to press the board's button. */
  authorizationRequired: 1,
  /** Ready for credentials. */
  authorized: 2,
  /** Has credentials and tries them. */
  provisioning: 3,
  /** Is in a Wi-Fi. */
  provisioned: 4,
} as const);

export const ErrorState = Object.freeze({
  none: 0,
  /** The command was malformed. */
  invalid: 1,
  unknownCommand: 2,
  /** The Wi-Fi could not be joined. */
  unableToConnect: 3,
  notAuthorized: 4,
  badHostname: 5,
  unknown: 0xff,
} as const);

export const Command = Object.freeze({
  sendWifi: 1,
  /** Serial alone. */
  currentState: 2,
  deviceInfo: 3,
  scan: 4,
  hostname: 5,
  deviceName: 6,
  /** Serial alone. */
  networkState: 7,
  /** Ours, serial alone: `gift.ts`. Improv counts its own from 1. */
  give: 0xc1,
} as const);

/** Bluetooth has this where a serial line has `currentState`. */
export const identifyCommand = 2;

/** Bits of the answer to `networkState`. */
export const NetworkFlag = Object.freeze({ online: 1, wifi: 2 } as const);

export interface Rpc {
  readonly command: number;
  /** At most 253 bytes on a serial line, whose packets hold 255. */
  readonly data: Uint8Array;
}

export interface RpcResult {
  readonly command: number;
  readonly texts: readonly string[];
}

/** A network that the board sees. */
export interface SeenNetwork {
  readonly ssid: string;
  /** dBm. */
  readonly rssi: number;
  /** Bluetooth: WEP, WPA, WPA2, WPA3 ..., several with slashes between; NO for none. */
  readonly security: string;
}

/** Bytes of data in a command or a result. */
export const rpcDataBytesMax = 253;

export function encodeCommand(command: number, data: Uint8Array): Uint8Array {
  if (data.length > rpcDataBytesMax)
    throw new RangeError(`A command holds at most ${rpcDataBytesMax} bytes.`);
  const bytes = new Uint8Array(2 + data.length);
  bytes[0] = command;
  bytes[1] = data.length;
  bytes.set(data, 2);
  return bytes;
}

/** undefined for what is no command: too short, or not as long as it says. */
export function decodeCommand(bytes: Uint8Array): Rpc | undefined {
  if (bytes.length < 2 || bytes[1] !== bytes.length - 2) return undefined;
  return { command: bytes[0]!, data: bytes.subarray(2) };
}

export function encodeWifi({ ssid, password }: WifiCredentials): Uint8Array {
  return textsToBytes([ssid, password]);
}

/** undefined for what is no network's name, of 1 to 32 bytes, and password, of at most 64. */
export function decodeWifi(data: Uint8Array): WifiCredentials | undefined {
  const texts = textsFromBytes(data);
  if (texts?.length !== 2) return undefined;
  const [ssid, password] = texts as [string, string];
  const { ssidBytesMax, passwordBytesMax } = contactLimits;
  if (ssid === "" || utf8Length(ssid) > ssidBytesMax || utf8Length(password) > passwordBytesMax)
    return undefined;
  return { ssid, password };
}

/** Throws `RangeError` for texts that take more than 253 bytes, a byte for the length of each included. */
export function encodeResult(command: number, texts: readonly string[]): Uint8Array {
  return encodeCommand(command, textsToBytes(texts));
}

/** undefined for what is no result. */
export function decodeResult(bytes: Uint8Array): RpcResult | undefined {
  const rpc = decodeCommand(bytes);
  const texts = rpc && textsFromBytes(rpc.data);
  return texts && { command: rpc.command, texts };
}

/** How many bytes of a result's 253 a text takes. */
export function resultBytesOf(text: string): number {
  return 1 + utf8Length(text);
}

function textsToBytes(texts: readonly string[]): Uint8Array {
  let length = 0;
  for (const text of texts) length += resultBytesOf(text);
  if (length > rpcDataBytesMax)
    throw new RangeError(`Texts of ${length} bytes do not fit ${rpcDataBytesMax}.`);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const text of texts) {
    const end = writeUtf8(text, bytes, at + 1);
    bytes[at] = end - at - 1;
    at = end;
  }
  return bytes;
}

function textsFromBytes(bytes: Uint8Array): string[] | undefined {
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const start = at + 1;
    at = start + bytes[at]!;
    if (at > bytes.length) return undefined;
    const text = readUtf8(bytes, start, at);
    if (text === undefined) return undefined;
    texts.push(text);
  }
  return texts;
}
