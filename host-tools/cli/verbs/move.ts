/** `covey move`: another Wi-Fi, or other addresses of the hosts, for the boards of a running swarm. */
import { Option } from "commander";
import type { AgreedContact, ContactStatus } from "../../leader/api/types/contact.ts";
import type { Status } from "../../leader/api/types/status.ts";
import { confirmed } from "../confirmation.ts";
import { Failed, WrongInput } from "../failure.ts";
import { untilInterrupted } from "../interruption.ts";
import { type KeyOptions, keysOfRoot, openKeys, unlock } from "../keys/place.ts";
import type { MoveParts } from "../move/new-contact.ts";
import { durationMs } from "../option-values.ts";
import { SwarmClient, swarmOptions } from "../swarm-client.ts";
import type { Terminal } from "../terminal.ts";
import type { Verb } from "../verb.ts";

interface MoveOptions extends KeyOptions, MoveParts {
  readonly status?: boolean;
  readonly yes?: boolean;
  readonly watch: boolean;
  readonly timeout: number;
}

export const move: Verb<MoveOptions> = {
  usage: "move",
  summary: "give boards another Wi-Fi, or other addresses of the hosts, while they run",
  details:
    "The swarm agrees on it, sealed with the root's keys, so that only boards can read it. Each board tries it, stays when it reaches the swarm by it, and goes back when it does not; boards that vote go one at a time. What is not said stays as it was agreed on last. Have both networks on the air, or hosts at both addresses, until all have moved. The Wi-Fi's password is read from a file, from COVEY_WIFI_SSID and COVEY_WIFI_PASSWORD, or asked for. Ctrl-C ends the watching alone.",
  examples: [
    "covey move --wifi new-wifi.json",
    "covey move --hosts a=192.0.2.7,b=192.0.2.8",
    "covey move --status",
    "covey move --again",
  ],
  options: [
    new Option(
      "--wifi [file]",
      'the network, {"ssid": ..., "password": ...}; from the environment or asked for without a file',
    ),
    new Option(
      "--hosts <hosts>",
      "where each host is, a=192.0.2.7:7883,b=host-b.example; mdns: boards are to find them",
    ),
    new Option("--time-server <name>", "where the time can be asked; none: only the hosts"),
    new Option("--again", "the same once more, for boards that went back"),
    new Option("--status", "show by which contact each board is here, and change nothing"),
    new Option("-y, --yes", "go ahead without asking"),
    new Option("--no-watch", "do not wait until the boards have moved"),
    new Option("--timeout <duration>", "how long to wait for them")
      .argParser(durationMs)
      .default(1_800_000, "30m"),
    new Option("--keys <folder>", "the folder of the root's keys, if not the one in --state"),
    new Option("--passphrase-file <file>", "its first line is the root's passphrase"),
    ...swarmOptions(),
  ],
  async run(terminal, options) {
    checkOptions(options);
    const { KeyError } = await import("../../keys/key-error.ts");
    try {
      return options.status === true
        ? await showStatus(terminal, options)
        : await moveHouse(terminal, options);
    } catch (error) {
      if (!(error instanceof KeyError)) throw error;
      throw new Failed(error.message, error.code, error.code === "wrong-passphrase" ? 2 : 1);
    } finally {
      terminal.endProgress();
    }
  },
};

async function moveHouse(terminal: Terminal, options: MoveOptions): Promise<number> {
  const { contactLines, givenParts, nextContact, openAgreed, sealedText } = await import(
    "../move/new-contact.ts"
  );
  const named = (await openKeys(terminal, options)).folder;
  const trusted = { swarm: named.swarm, authority: named.authority };
  const swarm = SwarmClient.find({ ...options, ...trusted });
  const agreed = await swarm.get<AgreedContact>("/api/contact");
  const folder = await keysOfRoot(terminal, options, named, agreed.root);
  const status = await swarm.get<Status>("/api/status");
  const hosts = status.hosts.map(({ name }) => name);
  const given = await givenParts(terminal, options, folder, hosts);
  const keys = await unlock(terminal, folder, options);
  terminal.endProgress();
  const present = openAgreed(agreed, keys, folder.swarm);
  if (present === undefined && agreed.sealed !== undefined) terminal.note(notOpened);
  if (options.again === true && present === undefined) throw new WrongInput(nothingAgreed);
  const next = await nextContact(terminal, { options, given, folder, hosts }, present, agreed.number + 1);
  for (const line of contactLines(next)) terminal.line(line);
  const left = hosts.filter(
    (name) => next.hosts.length > 0 && !next.hosts.some((host) => host.name === name),
  );
  if (left.length > 0)
    terminal.note(`Boards will not look for ${left.join(" and ")}: it is not among the hosts.`);
  await demandYes(terminal, options, status.boards.length);
  const sealed = sealedText(next, keys, folder.swarm);
  const contact = await swarm.post<ContactStatus>("/api/contact", { sealed });
  terminal.line(`Contact ${contact.number} is agreed on (entry ${contact.index}).`);
  return watchBoards(terminal, options, swarm, contact);
}

async function watchBoards(
  terminal: Terminal,
  options: MoveOptions,
  swarm: SwarmClient,
  contact: ContactStatus,
): Promise<number> {
  if (!options.watch) {
    terminal.line("The boards take it from here; covey move --status shows how far they are.");
    terminal.result({ contact, boards: [] });
    return 0;
  }
  const { moveText } = await import("../move/board-move.ts");
  const { watchMove } = await import("../move/watch-move.ts");
  const moves = await watchMove(terminal, swarm, contact, options.timeout, untilInterrupted());
  const width = Math.max(...moves.map(({ id }) => id.length));
  for (const each of moves) {
    const { outcome } = each;
    const style = outcome === "moved" ? "green" : outcome === "went-back" ? "red" : "yellow";
    terminal.line(`${each.id.padEnd(width)}  ${terminal.style(style, moveText(each))}`);
  }
  terminal.result({ contact, boards: moves.map(({ id, outcome, note }) => ({ id, outcome, note })) });
  return moves.some(({ outcome }) => outcome === "went-back") ? 1 : 0;
}

async function showStatus(terminal: Terminal, options: MoveOptions): Promise<number> {
  const { contact, boards } = await SwarmClient.find(options).get<Status>("/api/status");
  const agreed =
    contact === undefined
      ? "The swarm has agreed on no contact: boards are where they were provisioned."
      : `Contact ${contact.number} is agreed on (entry ${contact.index}).`;
  terminal.line(agreed);
  const width = Math.max(...boards.map(({ id }) => id.length));
  for (const board of boards) {
    const number = board.contact === undefined ? "no contact" : `contact ${board.contact}`;
    const isThere = contact === undefined || (board.contact ?? 0) >= contact.number;
    const where = board.link === "up" ? number : `not connected, ${number} when last heard of`;
    terminal.line(`${board.id.padEnd(width)}  ${terminal.style(isThere ? "green" : "yellow", where)}`);
  }
  terminal.result({
    contact,
    boards: boards.map(({ id, link, contact: number }) => ({ id, link, contact: number })),
  });
  return 0;
}

async function demandYes(terminal: Terminal, { yes }: MoveOptions, boards: number): Promise<void> {
  if (yes === true) return;
  if (!terminal.interactive) {
    throw new WrongInput("covey move asks before it goes ahead; without a terminal, say --yes.");
  }
  const question = `Move ${boards} ${boards === 1 ? "board" : "boards"}?`;
  if (!(await confirmed(question, untilInterrupted()))) throw new Failed("Nothing was changed.", "declined");
}

function checkOptions({ status, again, wifi, hosts, timeServer }: MoveOptions): void {
  const isTold = wifi !== undefined || hosts !== undefined || timeServer !== undefined;
  if (status === true && (isTold || again === true))
    throw new WrongInput("--status changes nothing: say nothing else with it.");
  if (again === true && isTold)
    throw new WrongInput("--again repeats what was agreed on last: say nothing new with it.");
  if (status !== true && again !== true && !isTold)
    throw new WrongInput("Say what is new: --wifi, --hosts, --time-server; or --again, or --status.");
}

const notOpened =
  "What the swarm agreed on last was not sealed with its root's keys, so no board took it; what you leave out is as boards were provisioned.";
const nothingAgreed =
  "The swarm has agreed on no contact yet that boards could take, so there is none to try again; say --wifi or --hosts.";
