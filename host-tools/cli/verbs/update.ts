/** `covey update`: new firmware over the air. */
import { Option } from "commander";
import type { KeyFolder } from "../../keys/key-folder.ts";
import type { SignedRelease } from "../../keys/release.ts";
import type { Releases } from "../../leader/api/types/releases.ts";
import { confirmed } from "../confirmation.ts";
import { Failed, WrongInput } from "../failure.ts";
import { untilInterrupted } from "../interruption.ts";
import { type KeyOptions, keysOfRoot, openKeys, unlock } from "../keys/place.ts";
import { durationMs, versionText, wholeNumber } from "../option-values.ts";
import { SwarmClient, swarmOptions } from "../swarm-client.ts";
import type { Terminal } from "../terminal.ts";
import type { FirmwareImage } from "../update/firmware-images.ts";
import type { PlannedRelease } from "../update/plan.ts";
import type { Verb } from "../verb.ts";
import { knownBoards } from "./boards.ts";

export interface UpdateOptions extends KeyOptions {
  readonly boards?: readonly string[];
  readonly model?: string;
  readonly firmwareVersion?: string;
  readonly yes?: boolean;
  readonly watch: boolean;
  readonly timeout: number;
  readonly status?: boolean;
  readonly signOnly?: string;
  readonly after?: number;
  readonly release?: string;
}

export const update: Verb<UpdateOptions> = {
  usage: "update [image]",
  summary: "give boards new firmware over the air",
  details:
    "The image is what covey build made: a folder, its xs_esp32.bin, or a merged image. It is signed with the root's keys, sent to the hosts, agreed on by the swarm, fetched by each board in checked pieces, and run on trial: " +
    "a board that does not come back to its swarm with it runs the one before again. All boards that the image is for get it, or those of --boards. Where the root's keys are on another computer, --sign-only there writes a file that " +
    "--release takes here. Ctrl-C ends the watching alone.",
  examples: [
    "covey update build/boards",
    "covey update build/boards --boards north-1,north-2",
    "covey update --status",
    "covey update build/boards/esp32c3-devkit --sign-only house.release",
    "covey update build/boards/esp32c3-devkit --release house.release",
  ],
  options: [
    new Option(
      "--boards <names>",
      "these alone, with commas between; all that the image is for if not said",
    ).argParser(names),
    new Option(
      "--model <kind>",
      "the kind of board that the image is for (covey boards), where several have its chip",
    ),
    new Option(
      "--firmware-version <text>",
      "what the firmware is called, if not as its image says",
    ).argParser(versionText),
    new Option("--status", "show what each board runs and is to run, and change nothing"),
    new Option("-y, --yes", "go ahead without asking"),
    new Option("--no-watch", "do not wait until the boards run it"),
    new Option("--timeout <duration>", "how long to wait for them")
      .argParser(durationMs)
      .default(3_600_000, "1h"),
    new Option("--sign-only <file>", "write the signed release there, and tell nobody"),
    new Option("--after <sequence>", "with --sign-only: the highest release that the swarm knows").argParser(
      wholeNumber(0, 0xff_ff_ff_fe),
    ),
    new Option("--release <file>", "what --sign-only wrote, instead of the root's keys"),
    new Option("--keys <folder>", "the folder of the root's keys, if not the one in --state"),
    new Option("--passphrase-file <file>", "its first line is the root's passphrase"),
    ...swarmOptions(),
  ],
  async run(terminal, options, [image]) {
    checkOptions(options, image);
    const { KeyError } = await import("../../keys/key-error.ts");
    try {
      if (options.status) return await showStatus(terminal, options);
      if (options.signOnly !== undefined) return await signOnly(terminal, options, image!);
      return await updateBoards(terminal, options, image!);
    } catch (error) {
      if (!(error instanceof KeyError)) throw error;
      throw new Failed(error.message, error.code);
    } finally {
      terminal.endProgress();
    }
  },
};

async function updateBoards(terminal: Terminal, options: UpdateOptions, path: string): Promise<number> {
  const { readFirmware } = await import("../update/firmware-images.ts");
  const { planUpdate } = await import("../update/plan.ts");
  const { agreeOn, sendImage } = await import("../update/deliver-release.ts");
  const images = await readFirmware(path);
  const named = options.release === undefined ? (await openKeys(terminal, options)).folder : undefined;
  const trusted = named && { swarm: named.swarm, authority: named.authority };
  const swarm = SwarmClient.find({ ...options, ...trusted });
  const listing = await swarm.get<Releases>("/api/releases");
  const folder = named && (await keysOfRoot(terminal, options, named, listing.root));
  const { boards: chosen, model, firmwareVersion: firmware } = options;
  const models = await knownBoards();
  const plan = planUpdate({ images, boards: listing.boards, names: chosen, model, firmware, models });
  if (folder !== undefined) refuseOtherWorld(folder, images);
  tellPlan(terminal, plan, chosen === undefined);
  await demandYes(terminal, options, plan);
  const releases =
    folder === undefined
      ? await releasesFrom(options.release!, plan)
      : await sign(terminal, options, folder, plan, listing.sequence);
  for (const [i, release] of releases.entries()) {
    const { image, boards } = plan[i]!;
    const hosts = await sendImage(terminal, swarm, release, new Uint8Array(image.bytes));
    await agreeOn(terminal, swarm, release, chosen && boards.map(({ id }) => id));
    const { sequence, firmware: version } = release.release;
    terminal.line(
      `Release ${sequence} (${version}) is agreed on; ${hosts.join(", ")} ${hosts.length === 1 ? "has" : "have"} the image.`,
    );
  }
  return watchBoards(terminal, options, swarm, plan, releases);
}

async function watchBoards(
  terminal: Terminal,
  options: UpdateOptions,
  swarm: SwarmClient,
  plan: readonly PlannedRelease[],
  releases: readonly SignedRelease[],
): Promise<number> {
  const { describeRelease } = await import("../update/release-file.ts");
  const told = releases.map(({ release }) => describeRelease(release));
  if (!options.watch) {
    terminal.line("The boards take it from here; covey update --status shows how far they are.");
    terminal.result({ releases: told, boards: [] });
    return 0;
  }
  const { progressText } = await import("../update/board-progress.ts");
  const { watchUpdate } = await import("../update/watch-update.ts");
  const watched = plan.flatMap(({ boards }, i) =>
    boards.map(({ id }) => ({ id, sequence: releases[i]!.release.sequence })),
  );
  const outcomes = await watchUpdate(terminal, swarm, watched, options.timeout, untilInterrupted());
  for (const board of outcomes) {
    const style = board.outcome === "runs" ? "green" : isFailure(board.outcome) ? "red" : "yellow";
    terminal.line(`${board.id}  ${terminal.style(style, progressText(board))}`);
  }
  const isLeft = outcomes.some(({ outcome }) => outcome === "pending" || outcome === "away");
  if (isLeft) terminal.line("The others take it from here; covey update --status shows how far they are.");
  terminal.result({
    releases: told,
    boards: outcomes.map(({ id, outcome, version, note }) => ({ id, outcome, version, note })),
  });
  return outcomes.some(({ outcome }) => isFailure(outcome)) ? 1 : 0;
}

function isFailure(outcome: string): boolean {
  return outcome === "rolled-back" || outcome === "refused" || outcome === "overtaken";
}

async function showStatus(terminal: Terminal, options: UpdateOptions): Promise<number> {
  const { releaseLines } = await import("../update/release-lines.ts");
  const listing = await SwarmClient.find(options).get<Releases>("/api/releases");
  for (const line of releaseLines(listing, terminal)) terminal.line(line);
  terminal.result(listing);
  return 0;
}

async function signOnly(terminal: Terminal, options: UpdateOptions, path: string): Promise<number> {
  const { readFirmware } = await import("../update/firmware-images.ts");
  const { modelAlone } = await import("../update/plan.ts");
  const { describeRelease, writeReleases } = await import("../update/release-file.ts");
  const models = await knownBoards();
  const images = await readFirmware(path);
  const plan = images.map((image): PlannedRelease => {
    const model = modelAlone(image, options.model, models);
    return { model, image, firmware: options.firmwareVersion ?? image.version, boards: [] };
  });
  const folder = (await openKeys(terminal, options)).folder;
  refuseOtherWorld(folder, images);
  const releases = await sign(terminal, options, folder, plan, options.after ?? 0);
  writeReleases(options.signOnly!, releases);
  for (const { release } of releases) {
    terminal.line(
      `Release ${release.sequence}: ${release.firmware} for ${release.model} of ${release.swarm}.`,
    );
  }
  terminal.line(
    `Take ${options.signOnly} and the image to a computer that reaches the swarm: covey update IMAGE --release FILE.`,
  );
  terminal.result({
    file: options.signOnly,
    releases: releases.map(({ release }) => describeRelease(release)),
  });
  return 0;
}

async function sign(
  terminal: Terminal,
  options: UpdateOptions,
  folder: KeyFolder,
  plan: readonly PlannedRelease[],
  after: number,
): Promise<SignedRelease[]> {
  const { signReleases } = await import("../../keys/release.ts");
  const keys = await unlock(terminal, folder, options);
  const wanted = plan.map(({ model, firmware, image }) => ({ model, firmware, image: image.bytes }));
  return signReleases(folder, keys, wanted, after);
}

/** For each planned one its release in the file. @throws {WrongInput} */
async function releasesFrom(file: string, plan: readonly PlannedRelease[]): Promise<SignedRelease[]> {
  const { chunkDigests } = await import("../../../protocols/update/chunks.ts");
  const { nodeCiphers } = await import("../../security/node-ciphers.ts");
  const { readReleases } = await import("../update/release-file.ts");
  const releases = readReleases(file);
  return plan.map(({ model, image }) => {
    const digest = chunkDigests(nodeCiphers, image.bytes).subarray(0, 32);
    const found = releases.find(
      ({ release }) => release.model === model && Buffer.compare(release.digest, digest) === 0,
    );
    if (found !== undefined) return found;
    throw new WrongInput(
      `${file} has no release of ${image.source} for ${model}; sign that image with --sign-only.`,
    );
  });
}

/** Firmware for chips would not start in a simulator, nor the other way round; who has which, the keys tell. @throws {WrongInput} */
function refuseOtherWorld({ isSealed }: KeyFolder, images: readonly FirmwareImage[]): void {
  for (const { source, isSimulated } of images) {
    if (isSealed && isSimulated) {
      throw new WrongInput(
        `${source} is firmware for the simulator, and these are the keys of real boards: build theirs with covey build --board KIND.`,
      );
    }
  }
}

function tellPlan(terminal: Terminal, plan: readonly PlannedRelease[], isAll: boolean): void {
  for (const { model, firmware, boards, image } of plan) {
    const bytes = image.bytes.length.toLocaleString("en-US");
    const whose = isAll ? `all boards of the kind ${model}` : `${boards.length} of the kind ${model}`;
    terminal.line(`${terminal.style("bold", firmware)} (${bytes} bytes, ${image.source}) for ${whose}:`);
    for (const { id, firmware: now, link, role } of boards) {
      const more = [...(role === "voter" ? ["votes"] : []), ...(link === "up" ? [] : ["not connected"])];
      terminal.line(
        `  ${id}  ${now?.version ?? "?"} -> ${firmware}${more.length > 0 ? `  (${more.join(", ")})` : ""}`,
      );
    }
  }
}

async function demandYes(
  terminal: Terminal,
  { yes }: UpdateOptions,
  plan: readonly PlannedRelease[],
): Promise<void> {
  if (yes) return;
  if (!terminal.interactive) {
    throw new WrongInput("covey update asks before it goes ahead; without a terminal, say --yes.");
  }
  const boards = plan.reduce((sum, each) => sum + each.boards.length, 0);
  const question = `Update ${boards} ${boards === 1 ? "board" : "boards"}?`;
  if (!(await confirmed(question, untilInterrupted()))) throw new Failed("Nothing was changed.", "declined");
}

function checkOptions(options: UpdateOptions, image: string | undefined): void {
  const { status, signOnly: file, release, boards, after } = options;
  if (status && (image !== undefined || file !== undefined || release !== undefined))
    throw new WrongInput("--status changes nothing: leave the image, --sign-only and --release out.");
  if (!status && image === undefined)
    throw new WrongInput(
      "Name the firmware: covey update FOLDER or FILE, as covey build made it; or say --status.",
    );
  if (file !== undefined && (release !== undefined || boards !== undefined))
    throw new WrongInput(
      "--sign-only signs for a kind of board; say --boards and --release where the swarm is reached.",
    );
  if (after !== undefined && file === undefined) throw new WrongInput("--after goes with --sign-only.");
}

function names(text: string): readonly string[] {
  return [...new Set(text.split(",").map((name) => name.trim()))].filter((name) => name !== "");
}
