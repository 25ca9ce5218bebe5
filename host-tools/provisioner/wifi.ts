/**
 * The Wi-Fi network that a board joins: from a file or the environment, never from a command line, which every user of the
 * computer can read.
 */
import { readFile, stat } from "node:fs/promises";
import { contactLimits, type WifiCredentials } from "../../protocols/provisioning/contact.ts";

/** The credentials can't be used; the message says where they were read and what to write there. */
export class WifiError extends Error {
  override readonly name = "WifiError";
}

const { ssidBytesMax, passwordBytesMax } = contactLimits;
/** WPA2: a passphrase has 8 to 63 characters, a raw key 64. */
const passwordCharactersMin = 8;

/**
 * Reads `file` (JSON, `{"ssid": ..., "password": ...}`), or else COVEY_WIFI_SSID and COVEY_WIFI_PASSWORD.
 *
 * @returns undefined when neither is given
 * @throws WifiError
 */
export async function readWifi(
  file: string | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<WifiCredentials | undefined> {
  if (file !== undefined) return checkedWifi(await readJson(file), file);
  const { COVEY_WIFI_SSID: ssid, COVEY_WIFI_PASSWORD: password } = environment;
  if (ssid === undefined || ssid === "") return undefined;
  return checkedWifi({ ssid, password }, "COVEY_WIFI_SSID and COVEY_WIFI_PASSWORD");
}

/** Whether other users of this computer may read the file. */
export async function isOpenToOthers(file: string): Promise<boolean> {
  return process.platform !== "win32" && ((await stat(file)).mode & 0o077) !== 0;
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === "ENOENT" ? "is not there" : "does not read as JSON";
    throw new WifiError(`${file} ${why}; write {"ssid": "...", "password": "..."} into it.`);
  }
}

/** The text of a password never appears in a message. @param source where it is from, to be named in it @throws WifiError */
export function checkedWifi(value: unknown, source: string): WifiCredentials {
  const { ssid, password } = (value ?? {}) as { ssid?: unknown; password?: unknown };
  if (typeof ssid !== "string" || ssid === "" || Buffer.byteLength(ssid) > ssidBytesMax) {
    throw new WifiError(`${source}: "ssid" must be the network's name, 1 to ${ssidBytesMax} bytes of text.`);
  }
  // A word forgotten, or misspelt, would send boards to whoever gives an open network that name.
  if (password === undefined)
    throw new WifiError(`${source}: the password is missing; say an empty one for an open network.`);
  if (typeof password !== "string") throw new WifiError(`${source}: "password" must be a text.`);
  const length = Buffer.byteLength(password);
  if (length > 0 && (length < passwordCharactersMin || length > passwordBytesMax)) {
    throw new WifiError(
      `${source}: a Wi-Fi password has ${passwordCharactersMin} to ${passwordBytesMax} characters, this one ${length}.`,
    );
  }
  return { ssid, password };
}
