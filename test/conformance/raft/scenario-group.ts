/**
 * A group for scenario files. Nothing happens by itself: messages wait until they are delivered, time passes when told, a held
 * disk syncs when told. Commands:
 *
 * ```
 * group hosts=a,b boards=n,s voters=a,n,s     founds it; the hosts' logs begin with that configuration. with=pre-vote,
 *                                             check-quorum,lease,hosts,ask-again for any of them (hosts: everyone knows who can lead;
 *                                             ask-again: after 250 ms); without, the plain protocol of the paper
 * campaign a                                  at once, without waiting for the timeout
 * propose a text ...      voters a a,n        entries; a simple change of the voters. text*900 is repeated to so many bytes
 * change a auto +n ~b -s                      voters, learners and members removed; auto, simple, joint or joint-auto-leave
 * leave a                                     the second step of a joint change
 * transfer a b            read a              leadership goes to b; a confirms that it leads
 * deliver [a>n] [count]                       delivers what waits, and what arises, until nothing is left
 * lose [a>n]              repeat [a>n]        forgets what waits; it arrives twice
 * late a>n                                    what has waited longest there arrives after all else
 * pass 250                                    milliseconds, on every host
 * connect a w [listens]   disconnect a w      what a host is told of a board's connection; one that listens takes publications
 * forge a w text                              somebody publishes to w in a's name what would follow on w's log
 * replay a w                                  the latest publication of a arrives at w once more
 * hold a                  sync a              a's disk waits from now on; it syncs, and waits no more
 * crash a                 restart a           a crash loses what was not synced
 * compact a 40 [8]                            a snapshot of what a has applied up to 40; 8 entries before it stay
 * state                   log a               progress a              confirmed a
 * ```
 */

import type { Transition } from "../../../protocols/raft/confchange.ts";
import { changesTo } from "../../../protocols/raft/confchange.ts";
import type { MemberId, Publication, RaftOutput } from "../../../protocols/raft/types.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";
import { bytesOf, foundingEntry, Member, productCores } from "../../protocols/raft/group/member.ts";
import {
  changeFrom,
  configurationText,
  entryText,
  isOn,
  type Parcel,
  parcelText,
  publicationText,
} from "./scenario-text.ts";

const timing = Object.freeze({ heartbeatMs: 250, electionMinMs: 1000, electionMaxMs: 2000 });

/** Deliveries of one command: a group that is not quiet then never will be. */
const deliveriesMax = 1000;

export class ScenarioGroup {
  readonly #members = new Map<MemberId, Member>();
  readonly #held = new Set<MemberId>();
  /** Who hears whose publications. */
  readonly #listeners = new Map<MemberId, Set<MemberId>>();
  readonly #published = new Map<MemberId, Publication>();
  #waiting: Parcel[] = [];
  #lines: string[] = [];
  #nowMs = 0;

  /** Carries out one command; the answer is what it changed, `ok` for nothing to tell, or the refusal. */
  run(command: string): string {
    const [verb = "", ...words] = command.split(" ");
    this.#lines = [];
    try {
      const carryOut = this.#commands[verb];
      if (carryOut === undefined) throw new Error(`unknown command ${verb}`);
      carryOut(words[0] ?? "", words[1] ?? "", words);
    } catch (error) {
      this.#lines.push(`${(error as Error).name}: ${(error as Error).message}`);
    }
    return this.#lines.length === 0 ? "ok" : this.#lines.join("\n");
  }

  readonly #commands: Readonly<Record<string, Command>> = {
    group: (_first, _second, words) => this.#found(words),
    campaign: (id) => this.#onHost(id, (node) => node.campaign(this.#nowMs)),
    propose: (id, _second, [, ...texts]) => {
      for (const text of texts) {
        this.#onHost(id, (node) => node.propose(EntryKind.put, bytesOf(repeated(text))).output);
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
        const { round, index, isConfirmed, output } = node.read(this.#nowMs);
        this.#lines.push(
          isConfirmed
            ? `confirmed at once: it sees entry ${index}`
            : `round ${round} will confirm that it sees entry ${index}`,
        );
        return output;
      });
    },
    connect: (id, member, [, , how]) => {
      const listens = how === "listens";
      const listeners = this.#listenersOf(id);
      if (listens) listeners.add(member);
      else listeners.delete(member);
      this.#onHost(id, (node) => node.addMember(member, { listens }));
    },
    disconnect: (id, member) => {
      this.#listenersOf(id).delete(member);
      this.#member(id).node?.removeMember(member);
    },
    deliver: (link, count) => this.#deliver(link, Number(count || link) || deliveriesMax),
    lose: (link) => this.#lose(link),
    repeat: (link) => this.#waiting.push(...this.#waiting.filter((parcel) => isOn(link, parcel))),
    late: (link) => {
      const at = this.#waiting.findIndex((parcel) => isOn(link, parcel));
      this.#waiting.push(...this.#waiting.splice(at, at < 0 ? 0 : 1));
    },
    pass: (ms) => this.#pass(Number(ms)),
    forge: (id, to, [, , text]) => this.#hear(this.#forged(id, this.#member(to), text ?? ""), to),
    replay: (id, to) => this.#hear(this.#published.get(id)!, to),
    hold: (id) => this.#held.add(id),
    sync: (id) => {
      this.#held.delete(id);
      this.#sync(this.#member(id));
    },
    crash: (id) => this.#member(id).crash(),
    restart: (id) => this.#member(id).start(this.#nowMs),
    compact: (id, index, [, , trailing]) => this.#member(id).compact(Number(index), Number(trailing ?? 0)),
    state: () => this.#showState(),
    confirmed: (id) => this.#lines.push(`up to round ${this.#member(id).node!.confirmedRound}`),
    log: (id) => this.#showLog(this.#member(id)),
    progress: (id) => this.#showProgress(this.#member(id)),
  };

  #found(words: readonly string[]): void {
    this.#members.clear();
    this.#listeners.clear();
    this.#held.clear();
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
        timing: extras.includes("ask-again") ? { ...timing, askAgainMs: 250 } : timing,
        random: () => patience,
        preVote: extras.includes("pre-vote"),
        checkQuorum: extras.includes("check-quorum"),
        leaseReads: extras.includes("lease"),
        ...(extras.includes("hosts") ? { isHostId: (id) => hosts.includes(id) } : {}),
        events: {
          onSend: (message) => this.#waiting.push(message),
          onPublish: (from, publication) => this.#publish(from.id, publication),
          onApplied: () => {},
          onViolation: (_, violation) => this.#lines.push(`violation: ${violation}`),
        },
      });
      this.#members.set(id, member);
      if (member.isHost) {
        const entry = foundingEntry((roles.get("voters") ?? "").split(","));
        const hardState = { term: 1, vote: undefined };
        member.disk.write({ hardState, truncateFrom: 0, entries: [entry], snapshot: undefined });
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

  #listenersOf(id: MemberId): Set<MemberId> {
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners);
    return listeners;
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

  /** Once, whoever listens; each of them hears it when it is delivered. */
  #publish(from: MemberId, publication: Publication): void {
    this.#published.set(from, publication);
    this.#lines.push(`${from}: ${publicationText(publication)}`);
    for (const to of this.#listenersOf(from)) this.#waiting.push({ ...publication, to });
  }

  /** What a stranger with the group's key could write: it knows the log, and has the entry say something else. */
  #forged(from: MemberId, member: Member, text: string): Publication {
    const { lastIndex } = member.disk;
    const term = member.core!.term;
    const place = { prevLogIndex: lastIndex, prevLogTerm: member.disk.termAt(lastIndex)! };
    const entry = { index: lastIndex + 1, term, kind: EntryKind.put, version: 1, data: bytesOf(text) };
    return {
      type: "publication",
      from,
      term,
      ...place,
      prevHash: member.disk.hashAt(lastIndex)!,
      entries: [entry],
    };
  }

  #hear(publication: Publication, to: MemberId): void {
    const member = this.#member(to);
    this.#lines.push(parcelText({ ...publication, to }));
    member.hear(publication);
    this.#settle(member);
  }

  #deliver(link: string, count: number): void {
    for (let delivered = 0; delivered < count; delivered++) {
      const at = this.#waiting.findIndex((parcel) => isOn(link, parcel));
      if (at < 0) return;
      const parcel = this.#waiting.splice(at, 1)[0]!;
      const member = this.#members.get(parcel.to);
      if (member === undefined || !member.isUp) {
        this.#lines.push(`${parcelText(parcel)} (down)`);
      } else if (parcel.type === "publication") {
        this.#hear(parcel, parcel.to);
      } else {
        this.#lines.push(parcelText(parcel));
        member.receive(parcel, this.#nowMs);
        this.#settle(member);
      }
    }
  }

  #lose(link: string): void {
    const lost = this.#waiting.filter((parcel) => isOn(link, parcel));
    this.#waiting = this.#waiting.filter((parcel) => !isOn(link, parcel));
    for (const parcel of lost) this.#lines.push(`${parcelText(parcel)} (lost)`);
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
      } else if (member.node.role !== role) {
        this.#lines.push(`${member.id} ${role === "leader" ? "steps down" : `is ${member.node.role}`}`);
      }
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

  #showLog({ disk }: Member): void {
    const snapshot =
      disk.snapshot === undefined ? [] : [`snapshot ${disk.snapshot.index}/${disk.snapshot.term}`];
    const staged =
      disk.staged === undefined ? [] : [`staged ${disk.staged.items} items of ${disk.staged.index}`];
    this.#lines.push([...snapshot, ...staged, ...disk.entries.map(entryText)].join(" ") || "empty");
  }

  #showProgress(member: Member): void {
    for (const [id, progress] of member.node!.members) {
      const { state, matchIndex, nextIndex, appliedIndex } = progress;
      this.#lines.push(`${id} ${state} match=${matchIndex} next=${nextIndex} applied=${appliedIndex}`);
    }
  }
}

type Command = (first: string, second: string, words: readonly string[]) => void;

/** `text*900`: the text, filled up to so many bytes. */
function repeated(text: string): string {
  const [start = "", length] = text.split("*");
  return length === undefined ? text : start.padEnd(Number(length), ".");
}
