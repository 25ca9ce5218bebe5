/** `covey provision`: gives boards who they are and how they reach their swarm. */
import { Option } from "commander";
import { Failed, WrongInput } from "../failure.ts";
import { hostList } from "../option-values.ts";
import type { ProvisionOptions } from "../provision/place.ts";
import type { Verb } from "../verb.ts";
import { rateOf } from "./flash.ts";

export const provision: Verb<ProvisionOptions> = {
  usage: "provision [board]",
  summary: "give attached boards their identity, Wi-Fi and hosts",
  details:
    "Writes a board's identity, keys, Wi-Fi network, hosts and time server into its settings (NVS), over its serial port, and nothing else of its flash. Flash its image before, or after. With --from it " +
    "does the boards of a list: at the ports that are named, or one after the other as they are plugged in; what is done is noted in a ledger, and a second run does only what is missing. The Wi-Fi " +
    "network comes from --wifi, from COVEY_WIFI_SSID and COVEY_WIFI_PASSWORD, or is asked for; the root's passphrase as in covey keys.",
  examples: [
    "covey provision north-1 --hosts main=192.0.2.7 --wifi wifi.json",
    "covey provision --from boards.csv --all --labels labels.svg",
    "covey provision --show",
    "covey provision north-1 --image-only north-1.nvs",
  ],
  options: [
    new Option(
      "--port <port>",
      "the board's port, as for covey flash; with --from again for each further one",
    )
      .argParser((port: string, before: readonly string[]) => [...before, port])
      .default([], "the one that is attached"),
    new Option("--all", "with --from or --show: every attached board, in parallel"),
    new Option(
      "--from <file>",
      "CSV with a line for each board: name, and model, mac, port, scope, wifi if needed",
    ),
    new Option(
      "--hosts <list>",
      "where the board finds the swarm's hosts: NAME=ADDRESS or NAME=ADDRESS:PORT, with commas between; or mdns",
    ).argParser((text: string) => (text === "mdns" ? text : hostList(text))),
    new Option("--time-server <host>", "where the board asks the time (SNTP) when no host tells it"),
    new Option("--wifi <file>", "JSON file with the network's ssid and password"),
    new Option("--model <kind>", "kind of board, where swarm.ts does not say it"),
    new Option("--scope <scope>", "what the board may, as for covey keys issue"),
    new Option(
      "--labels <file>",
      "write labels with QR codes for what was provisioned, or by itself for all that ever was",
    ),
    new Option("--show", "say who the attached board is, and write nothing"),
    new Option("--image-only <file>", "write the settings into a file instead: an NVS partition"),
    new Option(
      "--lin <folder>",
      "write the settings for the SDK's simulator on Linux, which runs in that folder",
    ),
    new Option("--dry-run", "say what would be written, and write nothing"),
    new Option("--replace", "also over another board's identity, or to other hardware than the ledger has"),
    new Option("--baud <rate>", "the fastest rate to try, in bit/s").argParser(rateOf).default(921_600),
    new Option("--keys <folder>", "the folder of the root's keys, if not the one in --state"),
    new Option("--passphrase-file <file>", "its first line is the root's passphrase"),
    new Option("--file <file>", "the swarm file; swarm.ts if not said"),
    new Option("--swarm <name>", "which swarm, where several have keys here"),
    new Option("--state <folder>", "where the swarms' state is kept").default(".covey"),
  ],
  async run(terminal, options, [name]) {
    checkOptions(options, name);
    try {
      if (options.show) return await (await import("../provision/show.ts")).showBoards(terminal, options);
      if (name === undefined && options.from === undefined)
        return await (await import("../provision/label-file.ts")).labelsOnly(terminal, options);
      const run = await import("../provision/run.ts");
      if (name === undefined) return await run.provisionBox(terminal, options);
      if (options.imageOnly !== undefined || options.lin !== undefined)
        return await run.provisionFile(terminal, options, name);
      return await run.provisionOne(terminal, options, name);
    } catch (error) {
      throw await failureOf(error);
    } finally {
      terminal.endProgress();
    }
  },
};

function checkOptions(options: ProvisionOptions, name: string | undefined): void {
  const { from, show, labels, imageOnly, lin, all, port, dryRun } = options;
  const says = (wrong: boolean, sentence: string) => {
    if (wrong) throw new WrongInput(sentence);
  };
  const isFile = imageOnly !== undefined || lin !== undefined;
  says(name !== undefined && from !== undefined, "Say a board or --from, not both.");
  says(
    show === true && (name !== undefined || from !== undefined || isFile),
    "--show only looks at a board; say nothing else with it but --port.",
  );
  says(imageOnly !== undefined && lin !== undefined, "Say --image-only or --lin, not both.");
  says(
    isFile && (from !== undefined || port.length > 0 || dryRun === true),
    "--image-only and --lin write a file for one board, and need no port.",
  );
  says(isFile && labels !== undefined, "Labels are of boards that are there; leave --labels out.");
  says(all === true && port.length > 0, "Say --all or --port, not both.");
  says(all === true && from === undefined && !show, "--all needs to know who is who: say --from boards.csv.");
  says(
    name === undefined && from === undefined && !show && labels === undefined,
    "Say which board this is to be: covey provision NAME; or --from boards.csv, or --show.",
  );
  says(name === undefined && isFile, "Say whose settings they are to be: covey provision NAME.");
}

async function failureOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error)) return error;
  const { KeyError } = await import("../../keys/key-error.ts");
  if (error instanceof KeyError)
    return new Failed(error.message, error.code, error.code === "wrong-passphrase" ? 2 : 1);
  if (error.name === "MemberFileError") return new Failed(error.message, "member-file");
  if (error.name === "LedgerDamaged") return new Failed(error.message, "ledger");
  if (error.name === "FlashProblem")
    return new Failed(error.message, (error as Error & { code: string }).code);
  return error;
}
