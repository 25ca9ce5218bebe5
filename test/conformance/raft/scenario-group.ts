/**
 * A group for scenario files. Nothing happens by itself: messages wait until they are delivered, time passes when told, a held
 * disk syncs when told. Commands:
 *
 * ```
 * group hosts=a,b boards=n,s voters=a,n,s     founds it; the hosts' logs begin with that configuration. with=pre-vote,check-quorum
 *                                             for either or both; without, the plain protocol of the paper
 * campaign a                                  at once, without waiting for the timeout
 * propose a text ...      voters a a,n        entries; a simple change of the voters
 * change a auto +n ~b -s                      voters, learners and members removed; auto, simple, joint or joint-auto-leave
 * leave a                                     the second step of a joint change
 * transfer a b            read a              leadership goes to b; a confirms that it leads
 * deliver [a>n] [count]                       delivers waiting messages, and those that arise, until none is left
 * lose [a>n]                                  forgets waiting messages
 * pass 250                                    milliseconds, on every host
 * connect a w             disconnect a w      what a host is told of a board's connection
 * hold a                  sync a              a's disk waits from now on; it syncs, and waits no more
 * crash a                 restart a
 * state                   log a               progress a              confirmed a
 * ```
 */
import { type Change, type Configuration, changesTo, isJoint } from "../../../protocols/raft/confchange.ts";
import { configurationFromEntry } from "../../../protocols/raft/membership.ts";
import type { Transition } from "../../../protocols/raft/node-options.ts";
import type { Entry, MemberId, Message, RaftOutput } from "../../../protocols/raft/types.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";
import { bytesOf, foundingEntry, Member, productCores } from "../../protocols/raft/group/member.ts";

export class ScenarioGroup {
  readonly #members = new Map<MemberId, Member>();
  readonly #held = new Set<MemberId>();
  #waiting: Message[] = [];
  #lines: string[] = [];
  #nowMs = 0;

  /** Carries out one command; the answer is what it changed, `ok` for nothing to tell, or the refusal. */
  run(command: string): string {
    const [verb = "", ...words] = command.split(" ");
    this.#lines = [];
    try {
      this.#carryOut(verb, words);
    } catch (error) {
      this.#lines.push(`${(error as Error).name}: ${(error as Error).message}`);
    }
    return this.#lines.length === 0 ? "ok" : this.#lines.join("\n");
  }

  #carryOut(verb: string, words: readonly string[]): void {
    const command = this.#commands[verb];
    if (command === undefined) throw new Error(`unknown command ${verb}`);
    command(words[0] ?? "", words[1] ?? "", words);
  }

  readonly #commands: Readonly<Record<string, Command>> = {
    group: (_first, _second, words) => this.#found(words),
    campaign: (id) => this.#onHost(id, (node) => node.campaign(this.#nowMs)),
    propose: (id, _second, [, ...texts]) => {
      for (const text of texts) {
        this.#onHost(id, (node) => node.propose(EntryKind.put, bytesOf(text)).output);
      }
    },
    voters: (id, voters) => {
      this.#onHost(id, (node) => {
        return node.change(changesTo(voters.split(","), node.configuration), "simple").output;
      });
    },
    change: (id, transition, [, , ...changes]) => {
      this.#onHost(id, (node) => node.change(changes.map(changeFrom), transition as Transition).output);
    },
    leave: (id) => this.#onHost(id, (node) => node.leaveJoint().output),
    transfer: (id, to) => this.#onHost(id, (node) => node.transfer(to, this.#nowMs)),
    read: (id) => {
      this.#onHost(id, (node) => {
        const { round, index, output } = node.read();
        this.#lines.push(`round ${round} will confirm that it sees entry ${index}`);
        return output;
      });
    },
    connect: (id, member) => this.#onHost(id, (node) => node.addMember(member)),
    disconnect: (id, member) => this.#member(id).node?.removeMember(member),
    deliver: (link, count) => this.#deliver(link, Number(count || link) || 1000),
    lose: (link) => this.#lose(link),
    pass: (ms) => this.#pass(Number(ms)),
    hold: (id) => this.#held.add(id),
    sync: (id) => {
      this.#held.delete(id);
      this.#sync(this.#member(id));
    },
    crash: (id) => this.#member(id).crash(),
    restart: (id) => this.#member(id).start(this.#nowMs),
    state: () => this.#showState(),
    confirmed: (id) => this.#lines.push(`up to round ${this.#member(id).node!.confirmedRound}`),
    log: (id) => this.#lines.push(this.#member(id).disk.entries.map(entryText).join(" ") || "empty"),
    progress: (id) => this.#showProgress(this.#member(id)),
  };

  #found(words: readonly string[]): void {
    this.#members.clear();
    this.#waiting = [];
    const roles = new Map(words.map((word) => word.split("=") as [string, string]));
    const hosts = roles.get("hosts")?.split(",") ?? [];
    const boards = roles.get("boards")?.split(",") ?? [];
    const extras = roles.get("with")?.split(",") ?? [];
    for (const id of [...hosts, ...boards]) {
      // Later hosts wait longer, so that only one of them loses patience at a time.
      const patience = hosts.indexOf(id) / hosts.length;
      const member = new Member({
        id,
        isHost: hosts.includes(id),
        cores: productCores,
        timing: { heartbeatMs: 250, electionMinMs: 1000, electionMaxMs: 2000 },
        random: () => patience,
        preVote: extras.includes("pre-vote"),
        checkQuorum: extras.includes("check-quorum"),
        events: {
          onSend: (message) => this.#waiting.push(message),
          onApplied: () => {},
          onViolation: (_, violation) => this.#lines.push(`violation: ${violation}`),
        },
      });
      this.#members.set(id, member);
      if (member.isHost) {
        const entry = foundingEntry((roles.get("voters") ?? "").split(","));
        member.disk.write({ hardState: { term: 1, vote: undefined }, truncateFrom: 0, entries: [entry] });
        member.disk.sync();
      }
      member.start(0);
    }
  }

  #member(id: MemberId): Member {
    const member = this.#members.get(id);
    if (member === undefined) throw new Error(`there is no member ${id}`);
    return member;
  }

  #onHost(id: MemberId, act: (node: NonNullable<Member["node"]>) => RaftOutput): void {
    const member = this.#member(id);
    if (member.node === undefined) throw new Error(`${id} is down, or a board`);
    member.perform(act(member.node));
    this.#settle(member);
  }

  #settle(member: Member): void {
    if (!this.#held.has(member.id)) this.#sync(member);
  }

  #sync(member: Member): void {
    while (member.hasUnsynced) member.sync();
  }

  #deliver(link: string, count: number): void {
    for (let delivered = 0; delivered < count; delivered++) {
      const at = this.#waiting.findIndex((message) => isOn(link, message));
      if (at < 0) return;
      const message = this.#waiting.splice(at, 1)[0]!;
      const member = this.#members.get(message.to);
      const isLost = member === undefined || !member.isUp;
      this.#lines.push(isLost ? `${messageText(message)} (down)` : messageText(message));
      if (isLost) continue;
      member.receive(message, this.#nowMs);
      this.#settle(member);
    }
  }

  #lose(link: string): void {
    const lost = this.#waiting.filter((message) => isOn(link, message));
    this.#waiting = this.#waiting.filter((message) => !isOn(link, message));
    for (const message of lost) this.#lines.push(`${messageText(message)} (lost)`);
  }

  #pass(ms: number): void {
    this.#nowMs += ms;
    for (const member of this.#members.values()) {
      if (member.node === undefined) continue;
      const { term, role, deadlineMs } = member.node;
      member.perform(member.node.tick(this.#nowMs));
      this.#settle(member);
      if (member.node.term > term) this.#lines.push(`${member.id} campaigns in term ${member.node.term}`);
      else if (member.node.role === "pre-candidate" && member.node.deadlineMs !== deadlineMs) {
        this.#lines.push(`${member.id} asks who would elect it in term ${term + 1}`);
      } else if (member.node.role !== role) this.#lines.push(`${member.id} steps down`);
    }
  }

  #showState(): void {
    for (const member of this.#members.values()) {
      const { core, node, disk } = member;
      if (core === undefined) {
        this.#lines.push(`${member.id} down`);
        continue;
      }
      const role = node?.role ?? "board";
      const facts = `term=${core.term} vote=${core.vote ?? "-"} leader=${core.leaderId ?? "-"}`;
      const indexes = `last=${disk.lastIndex} commit=${core.commitIndex} applied=${member.appliedIndex}`;
      const voters = node === undefined ? "" : ` ${configurationText(node.configuration)}`;
      this.#lines.push(`${member.id} ${role} ${facts} ${indexes}${voters}`);
    }
  }

  #showProgress(member: Member): void {
    for (const [id, progress] of member.node!.members) {
      const { state, matchIndex, nextIndex, appliedIndex } = progress;
      this.#lines.push(`${id} ${state} match=${matchIndex} next=${nextIndex} applied=${appliedIndex}`);
    }
  }
}

type Command = (first: string, second: string, words: readonly string[]) => void;

/** `a>n`, `a>` for all from a, `>n` for all to n; anything else, a count say, is every link. */
function isOn(link: string, message: Message): boolean {
  if (!link.includes(">")) return true;
  const [from, to] = link.split(">");
  return (from === "" || from === message.from) && (to === "" || to === message.to);
}

function messageText(message: Message): string {
  const link = `${message.from}>${message.to}`;
  switch (message.type) {
    case "vote-request": {
      const { purpose, term, lastLogIndex, lastLogTerm } = message;
      const asked = { election: "vote?", "pre-vote": "would vote?", transfer: "vote, as the leader wants?" };
      return `${link} ${asked[purpose]} term=${term} last=${lastLogIndex}/${lastLogTerm}`;
    }
    case "vote-response": {
      const answer = message.granted ? "vote" : "no vote";
      if (message.isPreVote) return `${link} would ${message.granted ? "" : "not "}vote term=${message.term}`;
      return `${link} ${answer} term=${message.term}`;
    }
    case "append-request": {
      const { term, prevLogIndex, prevLogTerm, commitIndex, entries } = message;
      return `${link} append term=${term} prev=${prevLogIndex}/${prevLogTerm} commit=${commitIndex} [${entries.map(entryText).join(" ")}]${roundText(message)}`;
    }
    case "append-response": {
      const { term, success, matchIndex, appliedIndex } = message;
      const what = success ? `match=${matchIndex}` : `refused, try after ${matchIndex}`;
      return `${link} ${success ? "ok" : "no"} term=${term} ${what} applied=${appliedIndex}${roundText(message)}`;
    }
    case "timeout-now":
      return `${link} lead now term=${message.term}`;
  }
}

function roundText({ readRound }: { readonly readRound: number }): string {
  return readRound > 0 ? ` round=${readRound}` : "";
}

/** `voters=incoming&&outgoing`, and what else there is to tell. */
function configurationText(configuration: Configuration): string {
  const { voters, outgoing, learners, learnersNext, autoLeave } = configuration;
  const parts = [`voters=${voters.join(",")}${isJoint(configuration) ? `&&${outgoing.join(",")}` : ""}`];
  if (learners.length > 0) parts.push(`learners=${learners.join(",")}`);
  if (learnersNext.length > 0) parts.push(`learners-next=${learnersNext.join(",")}`);
  if (autoLeave) parts.push("auto-leave");
  return parts.join(" ");
}

/** `+n` votes, `~n` learns, `-n` goes. */
function changeFrom(word: string): Change {
  const kinds: Readonly<Record<string, Change["kind"]>> = { "+": "voter", "~": "learner", "-": "remove" };
  const kind = kinds[word[0] ?? ""];
  if (kind === undefined) throw new Error(`no change: ${word}`);
  return { kind, id: word.slice(1) };
}

/** Index/term and what it says. */
function entryText(entry: Entry): string {
  const place = `${entry.index}/${entry.term}`;
  if (entry.kind === EntryKind.noop) return `${place}:noop`;
  if (entry.kind === EntryKind.membership) {
    return `${place}:${configurationText(configurationFromEntry(entry.version, entry.data)!)}`;
  }
  return `${place}:${String.fromCharCode(...entry.data)}`;
}
