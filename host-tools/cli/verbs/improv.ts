/** `covey improv`: a Wi-Fi, or an identity, for a board that runs. */
import { Option } from "commander";
import { Failed, WrongInput } from "../failure.ts";
import type { ImprovOptions } from "../improv/run.ts";
import { durationMs, hostList, wholeNumber } from "../option-values.ts";
import type { Verb } from "../verb.ts";

export const improv: Verb<ImprovOptions> = {
  usage: "improv",
  summary: "give a running board a Wi-Fi, or an identity, by cable or Bluetooth",
  details:
    "Speaks Improv (improv-wifi.com) with a board that runs: it listens on its console for five minutes after power-on and while it has no Wi-Fi, and by Bluetooth, where its image has it, from half a " +
    "minute without Wi-Fi on. The network comes from --wifi FILE, from COVEY_WIFI_SSID and COVEY_WIFI_PASSWORD, or is asked for. With --give a board without an identity gets one, over a cable alone.",
  examples: [
    "covey improv --port /dev/ttyUSB0 --wifi wifi.json",
    "covey improv --ble north-1",
    "covey improv --look",
    "covey improv --give north-1 --hosts main=192.0.2.7 --wifi wifi.json",
  ],
  options: [
    new Option("--port <port>", "the board's port, as for covey flash; the one that is attached if not said"),
    new Option("--baud <rate>", "of the board's console, in bit/s")
      .argParser(wholeNumber(300, 4_000_000))
      .default(115_200),
    new Option("--ble [name]", "by Bluetooth: the board of this name, or the only one in reach"),
    new Option(
      "--controller <port>",
      "a Bluetooth controller on a serial port (HCI), instead of this computer's own",
    ),
    new Option("--controller-baud <rate>", "of that port, in bit/s")
      .argParser(wholeNumber(300, 4_000_000))
      .default(1_000_000),
    new Option("--scan-time <duration>", "how long to look for boards")
      .argParser(durationMs)
      .default(6_000, "6s"),
    new Option("--wifi <file>", "JSON file with the network's ssid and password"),
    new Option("--look", "say what the board is and which networks it sees; change nothing"),
    new Option("--identify", "by Bluetooth: let the board's light blink"),
    new Option("--give <board>", "give a board without an identity this one's, and its hosts and Wi-Fi"),
    new Option(
      "--hosts <list>",
      "with --give: where the board finds the swarm's hosts: NAME=ADDRESS or NAME=ADDRESS:PORT, with commas between; or mdns",
    ).argParser((text: string) => (text === "mdns" ? text : hostList(text))),
    new Option(
      "--time-server <host>",
      "with --give: where the board asks the time (SNTP) when no host tells it",
    ),
    new Option("--keys <folder>", "the folder of the root's keys, if not the one in --state"),
    new Option("--passphrase-file <file>", "with --give: its first line is the root's passphrase"),
    new Option("--swarm <name>", "with --give: which swarm, where several have keys here"),
    new Option("--state <folder>", "where the swarms' state is kept").default(".covey"),
  ],
  async run(terminal, options) {
    checkOptions(options);
    const { runImprov } = await import("../improv/run.ts");
    try {
      return await runImprov(terminal, options);
    } catch (error) {
      throw await failureOf(error);
    }
  },
};

function checkOptions(options: ImprovOptions): void {
  const { port, ble, controller, look, identify, give, hosts, timeServer } = options;
  const says = (wrong: boolean, sentence: string) => {
    if (wrong) throw new WrongInput(sentence);
  };
  says(port !== undefined && ble !== undefined, "Say --port or --ble, not both.");
  says(controller !== undefined && ble === undefined, "--controller is for --ble.");
  says(look === true && identify === true, "Say --look or --identify, not both.");
  says(identify === true && ble === undefined, "--identify is for --ble: a board on a cable can be seen.");
  says(
    give !== undefined && (look === true || identify === true),
    "--give changes the board; leave --look and --identify out.",
  );
  says(
    give !== undefined && ble !== undefined,
    "An identity is given over a cable alone: whoever is in reach could listen. Say --port.",
  );
  says(
    give === undefined && (hosts !== undefined || timeServer !== undefined),
    "--hosts and --time-server are for --give; hosts of a running swarm are changed with covey move.",
  );
}

async function failureOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error)) return error;
  const { KeyError } = await import("../../keys/key-error.ts");
  if (error instanceof KeyError) {
    return new Failed(error.message, error.code, error.code === "wrong-passphrase" ? 2 : 1);
  }
  if (error.name === "MemberFileError") return new Failed(error.message, "member-file");
  if (error.name === "ImprovFailed" || error.name === "FlashProblem") {
    return new Failed(error.message, (error as Error & { code: string }).code);
  }
  return error;
}
