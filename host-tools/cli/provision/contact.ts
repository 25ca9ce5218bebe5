/** How a board is to reach its swarm, as the command, the environment and whoever sits at the terminal say it. The Wi-Fi's password is never an argument, and never shown. */
import {
  formatHosts,
  type HostAddress,
  hostsMax,
  mqttPort,
  parseHosts,
} from "../../../protocols/messages/host-address.ts";
import {
  type Contact,
  contactLimits,
  type WifiCredentials,
} from "../../../protocols/provisioning/contact.ts";
import type { KeyFolder } from "../../keys/key-folder.ts";
import { membersOf } from "../../keys/ledger.ts";
import { checkedWifi, isOpenToOthers, readWifi, WifiError } from "../../provisioner/wifi.ts";
import { WrongInput } from "../failure.ts";
import { ask, askHidden, canAsk } from "../questions.ts";
import type { Terminal } from "../terminal.ts";

export interface ContactOptions {
  readonly hosts?: string;
  readonly timeServer?: string;
  readonly wifi?: string;
}

/** Who is meant by `--hosts mdns`. */
export const foundByMdns = "mdns";
/** For `--time-server`: there is to be none. */
const noTimeServer = "none";

/**
 * @param known the swarm's hosts by name, as far as that is known
 * @param needsWifi false: every board brings its own
 * @throws {WrongInput} {Failed}
 */
export async function contactOf(
  terminal: Terminal,
  options: ContactOptions,
  folder: KeyFolder,
  known: readonly string[] | undefined,
  needsWifi: boolean,
): Promise<Contact> {
  const timeServer = options.timeServer === noTimeServer ? undefined : options.timeServer;
  if (timeServer !== undefined && !isAddress(timeServer))
    throw new WrongInput(`"${timeServer}" is no time server: say a host's name or an IP address, or none.`);
  if (timeServer !== undefined && timeServer.length > contactLimits.timeServerBytesMax)
    throw new WrongInput(`A time server's name has at most ${contactLimits.timeServerBytesMax} bytes.`);
  const hosts = await hostsOf(terminal, options.hosts, folder, known);
  const wifi = needsWifi || options.wifi !== undefined ? await wifiOf(terminal, options.wifi) : undefined;
  return { number: 0, wifi, hosts, timeServer };
}

/** Of a file, the environment, or asked for. @throws {WrongInput} {Failed} */
export async function wifiOf(terminal: Terminal, file: string | undefined): Promise<WifiCredentials> {
  try {
    const given = await readWifi(file, process.env);
    if (file !== undefined && (await isOpenToOthers(file)))
      terminal.note(`${file} may be read by others and holds the Wi-Fi's password; run chmod 600 ${file}.`);
    return given ?? (await askForWifi());
  } catch (error) {
    throw error instanceof WifiError ? new WrongInput(error.message) : error;
  }
}

async function askForWifi(): Promise<WifiCredentials> {
  if (!canAsk()) {
    throw new WrongInput(
      'The Wi-Fi network is asked for at a terminal; without one, say --wifi FILE, which holds {"ssid": ..., "password": ...}, or set COVEY_WIFI_SSID and COVEY_WIFI_PASSWORD.',
    );
  }
  const ssid = await ask("Name of the Wi-Fi network: ");
  const password = await askHidden("Its password (none: Enter): ");
  return checkedWifi({ ssid, password }, "The network");
}

async function hostsOf(
  terminal: Terminal,
  given: string | undefined,
  folder: KeyFolder,
  known: readonly string[] | undefined,
): Promise<readonly HostAddress[]> {
  if (given === foundByMdns) return [];
  if (given !== undefined) return checked(parseHosts(given), known);
  const issued = issuedHosts(folder, known);
  if (issued !== undefined) {
    terminal.note(`Hosts, as their identities say: ${formatHosts(issued)} (others: --hosts).`);
    return issued;
  }
  if (!canAsk()) {
    throw new WrongInput(
      `Say where the boards find the swarm's hosts: --hosts ${(known ?? ["main"]).map((name) => `${name}=ADDRESS`).join(",")}, or --hosts ${foundByMdns}.`,
    );
  }
  const hosts: HostAddress[] = [];
  for (const name of known ?? (await ask("Names of the swarm's hosts, with commas between: ")).split(",")) {
    const place = await ask(`Address of the host ${name.trim()} (port ${mqttPort} if not said): `);
    hosts.push(...checked(parseHosts(`${name.trim()}=${place}`), known));
  }
  return hosts;
}

function checked(
  hosts: readonly HostAddress[] | undefined,
  known: readonly string[] | undefined,
): readonly HostAddress[] {
  if (hosts === undefined)
    throw new WrongInput(
      `Write NAME=ADDRESS or NAME=ADDRESS:PORT (1 to 65535) for each host: at most ${hostsMax}, with commas between.`,
    );
  const wrong = hosts.find(({ address }) => !isAddress(address));
  if (wrong !== undefined)
    throw new WrongInput(
      `"${wrong.address}" is no address of ${wrong.name}: say a host's name or an IP address.`,
    );
  if (Buffer.byteLength(formatHosts(hosts)) > contactLimits.hostsBytesMax)
    throw new WrongInput(
      `The hosts take more than ${contactLimits.hostsBytesMax} bytes; give them shorter addresses.`,
    );
  const unknown = hosts.find(({ name }) => known !== undefined && !known.includes(name));
  if (unknown === undefined) return hosts;
  throw new WrongInput(`The swarm has no host "${unknown.name}"; its hosts are ${known!.join(", ")}.`);
}

/** A name or an IP address, by its characters. */
function isAddress(text: string): boolean {
  return /^[A-Za-z0-9._:-]+$/.test(text);
}

/** Each host under the first address that its identity was issued for; undefined when one of them has none. */
function issuedHosts(
  folder: KeyFolder,
  known: readonly string[] | undefined,
): readonly HostAddress[] | undefined {
  const hosts = membersOf(folder.ledger()).filter(
    ({ name, role }) => role === "host" && (known === undefined || known.includes(name)),
  );
  const addresses = hosts.flatMap(({ name, addresses }) =>
    addresses?.[0] === undefined ? [] : [{ name, address: addresses[0], port: mqttPort }],
  );
  const areAll = addresses.length === (known ?? hosts).length;
  return areAll && addresses.length > 0 && addresses.length <= hostsMax ? addresses : undefined;
}
