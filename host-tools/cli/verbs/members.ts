/** `covey members`: who votes, who leads, and changes of that. */
import { setTimeout as sleep } from "node:timers/promises";
import { Option } from "commander";
import type { Members, VoterAction, VotersChanged } from "../../leader/api/types/members.ts";
import { Failed, WrongInput } from "../failure.ts";
import { memberLines, standing } from "../member-lines.ts";
import { durationMs } from "../option-values.ts";
import { SwarmClient, type SwarmOptions, swarmOptions } from "../swarm-client.ts";
import type { Terminal } from "../terminal.ts";
import type { Verb } from "../verb.ts";

export interface MembersOptions extends SwarmOptions {
  readonly force?: boolean;
  readonly timeout: number;
}

/** For `members` and `replace`. */
export function memberOptions(): Option[] {
  return [
    new Option("--force", "also where something else would be better; never without a majority"),
    new Option("--timeout <duration>", "how long to wait until the change is in force")
      .argParser(durationMs)
      .default(30_000, "30s"),
    ...swarmOptions(),
  ];
}

export const members: Verb<MembersOptions> = {
  usage: "members [action] [names...]",
  summary: "list who votes and leads, or change it",
  details:
    "Actions: promote BOARD..., demote BOARD..., replace OLD NEW (NEW takes OLD's vote), transfer HOST (it leads next). A change that would leave no majority is refused; one that is merely unwise needs --force.",
  examples: [
    "covey members",
    "covey members promote north-2 south-2",
    "covey members demote north-2",
    "covey members replace north-1 north-2",
    "covey members transfer b",
  ],
  options: memberOptions(),
  async run(terminal, options, args) {
    const [action, rest] = args as unknown as [string | undefined, string[] | undefined];
    const names = rest ?? [];
    const swarm = SwarmClient.find(options);
    switch (action) {
      case undefined: {
        const now = await swarm.get<Members>("/api/members");
        for (const line of memberLines(now, terminal)) terminal.line(line);
        terminal.result(now);
        return 0;
      }
      case "promote":
      case "demote":
        if (names.length === 0) throw new WrongInput(`Say which boards: covey members ${action} north-1.`);
        return changeVoters(terminal, swarm, options, action, names);
      case "replace":
        if (names.length !== 2) {
          throw new WrongInput("Say which board and by which: covey members replace north-1 north-2.");
        }
        return changeVoters(terminal, swarm, options, "replace", names);
      case "transfer":
        if (names.length !== 1) throw new WrongInput("Say which host is to lead: covey members transfer b.");
        return transfer(terminal, swarm, options, names[0]!);
      default:
        throw new WrongInput(`There is no action ${action}; use promote, demote, replace or transfer.`);
    }
  },
};

const pollEveryMs = 150;

/** Asks for the change and waits until the voters are as they ought to be. */
export async function changeVoters(
  terminal: Terminal,
  swarm: SwarmClient,
  options: MembersOptions,
  action: VoterAction,
  names: readonly string[],
): Promise<number> {
  const body = { action, names, force: options.force === true };
  const { voters, warning } = await swarm.post<VotersChanged>("/api/members/voters", body);
  if (warning !== undefined) terminal.note(warning);
  terminal.progress("Agreed; the voters change");
  const now = await until(swarm, options.timeout, (list) => areInForce(list, voters));
  terminal.endProgress();
  if (!areInForce(now, voters)) {
    const waiting = now.members.filter((member) => member.shouldVote !== isVoter(member.role));
    const who = waiting.map(({ name }) => name).join(", ");
    throw new Failed(
      `It is agreed who ought to vote, but it is not so yet (${who}) after ${options.timeout / 1000} s; covey members shows when it is.`,
      "timeout",
    );
  }
  terminal.line(`The voters are ${votersText(now)}; ${standing(now)}.`);
  terminal.result({ voters: voterIds(now), spare: now.spare });
  return 0;
}

async function transfer(
  terminal: Terminal,
  swarm: SwarmClient,
  options: MembersOptions,
  to: string,
): Promise<number> {
  const leads = ({ members: all }: Members) => all.some(({ name, role }) => name === to && role === "leader");
  await swarm.post("/api/members/transfer", { to });
  terminal.progress(`Leadership passes to ${to}`);
  const now = await until(swarm, options.timeout, leads);
  terminal.endProgress();
  if (!leads(now)) {
    throw new Failed(
      `${to} does not lead after ${options.timeout / 1000} s; covey members shows who does.`,
      "timeout",
    );
  }
  terminal.line(`${to} leads in term ${now.term}.`);
  terminal.result({ leader: now.leader, term: now.term });
  return 0;
}

/** The members once `accept` likes them, or as they are when the time is over. */
async function until(
  swarm: SwarmClient,
  timeoutMs: number,
  accept: (members: Members) => boolean,
): Promise<Members> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const now = await swarm.get<Members>("/api/members");
    if (accept(now) || performance.now() >= deadlineMs) return now;
    await sleep(pollEveryMs);
  }
}

/** Exactly these boards vote beside the hosts. */
function areInForce({ leader, members: all }: Members, voters: readonly string[]): boolean {
  const voting = all.filter(({ kind, role }) => kind === "board" && isVoter(role)).map(({ name }) => name);
  return leader !== undefined && [...voting].sort().join() === [...voters].sort().join();
}

function isVoter(role: Members["members"][number]["role"]): boolean {
  return role === "voter" || role === "leader";
}

function votersText({ members: all }: Members): string {
  return all
    .filter(({ role }) => isVoter(role))
    .map(({ name }) => name)
    .join(", ");
}

function voterIds({ members: all }: Members): (string | undefined)[] {
  return all.filter(({ role }) => isVoter(role)).map(({ memberId }) => memberId);
}
