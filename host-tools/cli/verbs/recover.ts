/** `covey recover`: a host's log rebuilt from what the other members have. */
import { setTimeout as sleep } from "node:timers/promises";
import { Option } from "commander";
import { createLog } from "../../leader/log.ts";
import type { Recovery } from "../../leader/recovery.ts";
import { confirmed } from "../confirmation.ts";
import { Failed, WrongInput } from "../failure.ts";
import { hostIdentity } from "../host-identity.ts";
import { untilInterrupted } from "../interruption.ts";
import { statementsBeside } from "../keys/place.ts";
import { durationMs } from "../option-values.ts";
import type { Terminal } from "../terminal.ts";
import type { Verb } from "../verb.ts";
import { type HostPlaceOptions, hostPlaceOptions, placeOf } from "./lead.ts";

interface RecoverOptions extends HostPlaceOptions {
  readonly wait: number;
  readonly yes?: boolean;
  readonly force?: boolean;
}

export const recover: Verb<RecoverOptions> = {
  usage: "recover [file]",
  summary: "rebuild a host whose disk is lost from the boards and other hosts",
  details:
    "For when the hosts that are left cannot lead: while one can, start the lost host plainly with covey lead, and it joins anew. Run it on a stopped host; it waits for the boards and hosts that still have the log, takes the most up-to-date one, and makes this host the only voter until the others have caught up. The next covey lead goes on from there.",
  examples: ["covey recover --name a", "covey recover --name a --yes --wait 30s --json"],
  options: [
    new Option("--wait <duration>", "for members to come, unless all are there before")
      .argParser(durationMs)
      .default(30_000, "30s"),
    new Option("-y, --yes", "go ahead without asking"),
    new Option("--force", "also where the group could go on without"),
    ...hostPlaceOptions().filter(({ long }) => long !== "--http-port"),
  ],
  async run(terminal, options, [file]) {
    if (options.yes !== true && !terminal.interactive) {
      throw new WrongInput("covey recover asks before it goes ahead; without a terminal, say --yes.");
    }
    const { loadSwarm } = await import("../../swarm-file/load.ts");
    const definition = await loadSwarm(file);
    const place = placeOf(definition, options);
    const signal = untilInterrupted();
    const log = createLog("error", (line) => terminal.note(line.trimEnd()));
    const member = await hostIdentity(options.member, definition, place);
    const statements = await statementsBeside(terminal, place.stateDir);
    const recovery = await open({ ...place, definition, member, statements, log });
    try {
      if (recovery.keptAs !== undefined) {
        terminal.note(`The log of host ${place.hostName} is damaged; it is kept as ${recovery.keptAs}.`);
      }
      await gather(terminal, recovery, options.wait, signal);
      if (signal.aborted) return 1;
      await askToGoOn(terminal, recovery, place.hostName, options.yes === true, signal);
      if (signal.aborted) return 1;
      terminal.progress("Copying the log");
      const report = await run(recovery, options.force === true);
      terminal.endProgress();
      terminal.line(report.text);
      terminal.line(
        `Now start it: covey lead${file === undefined ? "" : ` ${file}`} --name ${place.hostName}`,
      );
      terminal.result(report);
      return 0;
    } finally {
      terminal.endProgress();
      await recovery.close();
    }
  },
};

const pollEveryMs = 200;
/** A host that runs connects at once; a board may have to come back from a long pause. */
const hostsWaitMs = 5_000;
/** All members may be there before they have said all: a moment more. */
const settleMs = 500;

/** Until everybody is there, or the time is over. @throws {Failed} when nobody came */
async function gather(
  terminal: Terminal,
  recovery: Recovery,
  waitMs: number,
  signal: AbortSignal,
): Promise<void> {
  const startedMs = performance.now();
  let said = "";
  while (!signal.aborted) {
    const { members, missingHosts, missingBoards } = recovery;
    const waitedMs = performance.now() - startedMs;
    const areAllHere = missingBoards.length === 0 && (missingHosts.length === 0 || waitedMs >= hostsWaitMs);
    if (areAllHere || waitedMs >= waitMs) break;
    const text = `Waiting for boards and hosts: ${members.length} here, missing ${some([...missingHosts, ...missingBoards])}`;
    if (text !== said) terminal.progress(text);
    said = text;
    await sleep(pollEveryMs, undefined, { signal }).catch(() => {});
  }
  if (!signal.aborted) await sleep(settleMs);
  terminal.endProgress();
  if (recovery.members.length > 0 || signal.aborted) return;
  throw new Failed(
    `No board and no host came within ${waitMs / 1000} s; see that they run and know this host's address, or wait longer with --wait.`,
    "nobody-came",
  );
}

/** Says what this risks. @throws {Failed} when the user would rather not */
async function askToGoOn(
  terminal: Terminal,
  recovery: Recovery,
  hostName: string,
  isAgreed: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { members, missingHosts, missingBoards } = recovery;
  const missing = [...missingHosts, ...missingBoards];
  terminal.line(`Here: ${members.join(", ")}.`);
  if (missing.length > 0) terminal.line(`Missing: ${missing.join(", ")}.`);
  terminal.line(
    `Host ${hostName} will take over the most up-to-date log among those here and will vote alone until the others have caught up. ` +
      "Changes that only missing members hold are lost, also such as were acknowledged; and a missing host must not " +
      "come back with its old folder, because it would believe in the old group.",
  );
  if (isAgreed || (await confirmed("Go ahead?", signal))) return;
  throw new Failed("Nothing was changed.", "not-confirmed");
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, 6).join(", ");
  return names.length > 6 ? `${shown} and ${names.length - 6} more` : shown;
}

/** Refusals that are no fault of Covey's; each says itself what to do. */
const refusals = ["PortUnavailable", "HostDirectoryInUse", "NothingLost", "NewerLog", "OwnIdentityRevoked"];

async function open(options: Parameters<typeof Recovery.open>[0]): Promise<Recovery> {
  const { Recovery } = await import("../../leader/recovery.ts");
  try {
    return await Recovery.open(options);
  } catch (error) {
    if (error instanceof Error && refusals.includes(error.name)) {
      throw new Failed(error.message, error.name === "NothingLost" ? "nothing-lost" : "cannot-start");
    }
    throw error;
  }
}

async function run(recovery: Recovery, isForced: boolean): ReturnType<Recovery["run"]> {
  try {
    return await recovery.run(isForced);
  } catch (error) {
    if (error instanceof Error && error.name === "RecoveryRefused") {
      throw new Failed(error.message, "recovery-refused");
    }
    throw error;
  }
}
