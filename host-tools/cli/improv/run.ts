/** `covey improv`: what is done with a board that runs, over its cable or through the air. */
import { existsSync } from "node:fs";
import type { SeenNetwork } from "../../../protocols/improv/rpc.ts";
import { State } from "../../../protocols/improv/rpc.ts";
import { choosePorts } from "../../flasher/fleet.ts";
import { membersOf } from "../../keys/ledger.ts";
import { BleLink } from "../../provisioner/improv/ble-link.ts";
import {
  boardInfo,
  giveIdentity,
  type ImprovInfo,
  type ImprovLink,
  identify,
  seenNetworks,
  sendWifi,
} from "../../provisioner/improv/improv-link.ts";
import { SerialLink } from "../../provisioner/improv/serial-link.ts";
import { Failed, WrongInput } from "../failure.ts";
import { definitionOf, type KeyOptions, type KeyPlace, openKeys, shownPath, unlock } from "../keys/place.ts";
import { type ContactOptions, contactOf, wifiOf } from "../provision/contact.ts";
import type { Terminal } from "../terminal.ts";

export interface ImprovOptions extends KeyOptions, ContactOptions {
  readonly port?: string;
  readonly baud: number;
  /** true: the only board in reach. */
  readonly ble?: string | true;
  readonly controller?: string;
  readonly controllerBaud: number;
  readonly scanTime: number;
  readonly look?: boolean;
  readonly identify?: boolean;
  readonly give?: string;
}

/** Says what the board is, and does with it what was asked. @throws {Failed} {WrongInput} {FlashProblem} {ImprovFailed} */
export async function runImprov(terminal: Terminal, options: ImprovOptions): Promise<number> {
  const prepared = await prepare(terminal, options);
  const link = await connect(terminal, options);
  try {
    terminal.progress(`Asking the board at ${link.name} what it is`);
    const info = await boardInfo(link);
    terminal.endProgress();
    terminal.line(describe(link, info));
    const done = await act(terminal, link, options, prepared);
    terminal.result({ link: link.isSerial ? "serial" : "bluetooth", name: link.name, ...info, ...done });
    return 0;
  } finally {
    terminal.endProgress();
    await link.close();
  }
}

type Prepared = Awaited<ReturnType<typeof prepare>>;

/** All that may be asked of whoever sits here, before the board has to wait for it. */
async function prepare(terminal: Terminal, options: ImprovOptions) {
  if (options.look || options.identify) return {};
  if (options.give === undefined) return { wifi: await wifiOf(terminal, options.wifi) };
  // Issued once a board has answered.
  return { settings: await settingsFor(terminal, options, options.give) };
}

async function settingsFor(terminal: Terminal, options: ImprovOptions, name: string) {
  const { contactKeyFor, identityFor } = await import("../../provisioner/identities.ts");
  const place = await openKeys(terminal, options);
  const { folder } = place;
  if (place.isSimulated) {
    throw new Failed(
      "A simulation's keys stand in the clear and are for no real board; make the swarm's own with covey keys init.",
      "no-keys",
    );
  }
  await checkName(place, options, name);
  const contact = await contactOf(terminal, options, folder, undefined, true);
  const keys = await unlock(terminal, folder, options);
  return () => {
    const member = identityFor(folder, keys, name, undefined);
    return { member, authority: member.authority, contactKey: contactKeyFor(keys, folder.swarm), contact };
  };
}

/** One misspelt would be a member that has to be revoked. @throws {WrongInput} and what loading swarm.ts does */
async function checkName(place: KeyPlace, options: ImprovOptions, name: string): Promise<void> {
  const { defaultSwarmPath } = await import("../../swarm-file/load.ts");
  if (!existsSync(defaultSwarmPath())) return;
  const { boards, file } = await definitionOf(place, options);
  const isIssued = membersOf(place.folder.ledger()).some((member) => member.name === name);
  if (Object.hasOwn(boards, name) || isIssued) return;
  throw new WrongInput(
    `${shownPath(file)} has no board ${name}; its boards are ${Object.keys(boards).join(", ")}.`,
  );
}

async function connect(terminal: Terminal, options: ImprovOptions): Promise<ImprovLink> {
  if (options.ble === undefined) {
    const [port] = await choosePorts(options.port === undefined ? [] : [options.port], false);
    return SerialLink.open({ port: port!, baud: options.baud });
  }
  terminal.progress(options.ble === true ? "Looking for boards" : `Looking for ${options.ble}`);
  const { controller: port, controllerBaud: baud } = options;
  const link = await BleLink.open({
    board: options.ble === true ? undefined : options.ble,
    controller: port === undefined ? undefined : { port, baud },
    scanMs: options.scanTime,
  });
  if (!options.look && !options.identify && link.state === State.authorizationRequired) {
    terminal.endProgress();
    terminal.note(`Press the button of ${link.name}, so that it knows that you stand beside it.`);
    await link.authorized().catch(async (error: unknown) => {
      await link.close();
      throw error;
    });
  }
  return link;
}

async function act(
  terminal: Terminal,
  link: ImprovLink,
  options: ImprovOptions,
  { wifi, settings }: Prepared,
): Promise<object> {
  if (options.identify) {
    await identify(link);
    terminal.line("Its light blinks for five seconds.");
    return { identified: true };
  }
  if (options.look) {
    terminal.progress("Looking for Wi-Fi networks");
    const networks = await seenNetworks(link);
    terminal.endProgress();
    for (const each of networks) terminal.line(networkLine(each));
    return { networks };
  }
  if (settings !== undefined) {
    terminal.progress("Giving the board its identity");
    const board = await giveIdentity(link, settings());
    terminal.endProgress();
    terminal.line(`The board is ${board} now, and starts anew.`);
    return { board };
  }
  if (wifi === undefined) throw new WrongInput("There is nothing to do.");
  terminal.progress(`The board tries "${wifi.ssid}"`);
  await sendWifi(link, wifi);
  terminal.endProgress();
  terminal.line(`The board is in "${wifi.ssid}".`);
  return { ssid: wifi.ssid };
}

function describe(link: ImprovLink, { firmware, version, hardware, board }: ImprovInfo): string {
  const who = board === "" ? "a board without an identity" : board;
  return `${link.name}: ${who}, ${hardware}, ${firmware} ${version}`;
}

function networkLine({ ssid, rssi, security }: SeenNetwork): string {
  return `  ${`${rssi}`.padStart(4)} dBm  ${ssid}${security === "NO" ? "  (open)" : ""}`;
}
