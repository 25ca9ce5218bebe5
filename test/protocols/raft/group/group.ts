/** A whole group in one place: messages wait until they are delivered, time passes when told, disks sync at once. */
import type {
  Entry,
  MemberId,
  Message,
  Publication,
  SnapshotItem,
} from "../../../../protocols/raft/types.ts";
import { EntryKind } from "../../../../protocols/raft/types.ts";
import type { MemberOptions } from "./member.ts";
import { bytesOf, foundingEntry, Member, productCores } from "./member.ts";

/** Deliveries after which a group that is not quiet never will be. */
const deliveriesMax = 20_000;

export interface GroupOptions
  extends Pick<MemberOptions, "preVote" | "checkQuorum" | "leaseReads" | "catchesUp" | "flowOf"> {
  readonly hosts: readonly MemberId[];
  readonly boards?: readonly MemberId[];
  /** All hosts and boards when not said. */
  readonly voters?: readonly MemberId[];
}

export class Group {
  readonly timing = { heartbeatMs: 250, electionMinMs: 1000, electionMaxMs: 2000 };
  readonly violations: string[] = [];
  /** What was sent and not delivered yet. */
  waiting: Message[] = [];
  /** All publications so far; who listens hears each at once, unless `isDeaf`. */
  readonly published: Publication[] = [];
  isDeaf: (id: MemberId) => boolean = () => false;
  readonly applied = new Map<MemberId, Entry[]>();
  nowMs = 0;
  readonly #members = new Map<MemberId, Member>();

  constructor(options: GroupOptions) {
    const { hosts, boards = [], voters = [...hosts, ...boards], ...rest } = options;
    const ids = [...hosts, ...boards];
    for (const id of ids) {
      this.applied.set(id, []);
      const member = new Member({
        ...rest,
        id,
        isHost: hosts.includes(id),
        cores: productCores,
        timing: this.timing,
        // Later hosts wait longer, so that only one of them loses patience at a time.
        random: () => ids.indexOf(id) / ids.length,
        isHostId: (other) => hosts.includes(other),
        events: {
          onSend: (message) => this.waiting.push(message),
          onPublish: (_, publication) => this.#publish(publication),
          onApplied: (_, entry) => this.applied.get(id)!.push(entry),
          onRestored: (_, items) => this.applied.set(id, items.map(asEntry)),
          onViolation: (_, violation) => this.violations.push(violation),
        },
      });
      this.#members.set(id, member);
      if (member.isHost) {
        const entries = [foundingEntry(voters)];
        const hardState = { term: 1, vote: undefined };
        member.disk.write({ hardState, truncateFrom: 0, entries, snapshot: undefined });
        member.disk.sync();
      }
      member.start(0);
    }
  }

  member(id: MemberId): Member {
    return this.#members.get(id)!;
  }

  /** Comes back with what its disk kept, and applies from the beginning. */
  restart(id: MemberId): void {
    const member = this.member(id);
    const items = member.disk.snapshotContents;
    this.applied.set(id, items.map(asEntry));
    member.start(this.nowMs);
  }

  node(id: MemberId): NonNullable<Member["node"]> {
    return this.member(id).node!;
  }

  /** Lets a host act, and its disk sync. */
  act(id: MemberId, act: (node: NonNullable<Member["node"]>) => Parameters<Member["perform"]>[0]): void {
    const member = this.member(id);
    member.perform(act(member.node!));
    settle(member);
  }

  /** Delivers what waits and what arises from it, but for what `isLost` says; all when not said. Returns how many arrived. */
  deliver(isLost: (message: Message) => boolean = () => false): number {
    for (let delivered = 0; delivered < deliveriesMax; delivered++) {
      const message = this.waiting.shift();
      if (message === undefined) return delivered;
      const member = this.#members.get(message.to);
      if (isLost(message) || member?.isUp !== true) continue;
      member.receive(message, this.nowMs);
      settle(member);
    }
    throw new Error(`${deliveriesMax} messages were delivered, and the group is not quiet.`);
  }

  /** Time passes in steps of a heartbeat, and what is sent is delivered. */
  pass(ms: number, isLost?: (message: Message) => boolean): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; ) {
      this.nowMs += this.timing.heartbeatMs;
      for (const member of this.#members.values()) {
        if (member.node === undefined) continue;
        member.perform(member.node.tick(this.nowMs));
        settle(member);
      }
      this.deliver(isLost);
    }
  }

  /** Makes `id` the leader, heard by all. */
  elect(id: MemberId): void {
    this.act(id, (node) => node.campaign(this.nowMs));
    this.deliver();
    if (this.node(id).role !== "leader") throw new Error(`${id} was not elected.`);
  }

  /** The leader takes a command `key=value`. */
  put(id: MemberId, command: string): void {
    this.act(id, (node) => node.propose(EntryKind.put, bytesOf(command)).output);
  }

  /** The puts that a member has applied, in order; of a snapshot those that it held. */
  putsOf(id: MemberId): string[] {
    const puts = this.applied.get(id)!.filter(({ kind }) => kind === EntryKind.put);
    return puts.map(({ data }) => String.fromCharCode(...data));
  }

  #publish(publication: Publication): void {
    this.published.push(publication);
    for (const member of this.#members.values()) {
      if (member.isHost || this.isDeaf(member.id)) continue;
      member.hear(publication);
      settle(member);
    }
  }
}

/** The items of a snapshot stand for entries that are not told. */
function asEntry({ kind, version, data }: SnapshotItem): Entry {
  return { index: 0, term: 0, kind, version, data };
}

function settle(member: Member): void {
  while (member.hasUnsynced) member.sync();
}
