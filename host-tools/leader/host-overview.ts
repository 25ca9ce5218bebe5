/** A host as the HTTP interface sees it: one status put together from its parts, and the few things one can ask of it. */

import { contactStateKey } from "../../protocols/provisioning/contact.ts";
import type { Entry } from "../../protocols/raft/types.ts";
import { readRoster, rosterKey } from "../../protocols/security/identity/roster.ts";
import { isSameBytes } from "../../protocols/security/same-bytes.ts";
import { type StateValue, stateLimits } from "../../protocols/state/command.ts";
import type { SwarmDefinition } from "../swarm-file/definition.ts";
import type { Actor } from "./access/actor.ts";
import { isAuditKey, readAudit } from "./access/audit-ring.ts";
import type { Reach } from "./access/reach.ts";
import { authorityOf } from "./access/tls.ts";
import type { ActionRequest } from "./actions/action-request.ts";
import type { Actions } from "./actions/actions.ts";
import type { Alerts } from "./alerts/alerts.ts";
import type { HostView, SetCommand } from "./api/api.ts";
import { ApiFailure } from "./api/api-failure.ts";
import { askToSet, fetchFrom, type Leader } from "./api/leader-requests.ts";
import type { StatusFeed } from "./api/status-feed.ts";
import type { AuditEntry } from "./api/types/access.ts";
import type { ActionBegun, ActionStatus } from "./api/types/actions.ts";
import type { AlertStatus, AlertsAnswer, AlertTested } from "./api/types/alerts.ts";
import type {
  CheckpointDifference,
  CheckpointListed,
  CheckpointListing,
  CheckpointRestored,
} from "./api/types/checkpoints.ts";
import type { AgreedContact, ContactStatus } from "./api/types/contact.ts";
import type { KeepRestored, KeepStatus } from "./api/types/keeping.ts";
import type { LogEntry } from "./api/types/log.ts";
import type { Members, VotersChanged } from "./api/types/members.ts";
import type { QueryAnswer } from "./api/types/queries.ts";
import type { StoredReading } from "./api/types/readings.ts";
import type { ReleaseAgreed, Releases } from "./api/types/releases.ts";
import type { SetResult, Setting } from "./api/types/settings.ts";
import type { Counters, HostStatus, Status } from "./api/types/status.ts";
import type { HoldAnswer, TasksStatus } from "./api/types/tasks.ts";
import type { BoardRegistry } from "./boards/board-registry.ts";
import type { Broker } from "./broker/broker-types.ts";
import type { Checkpoints, PeerHost } from "./checkpoints/checkpoints.ts";
import { restoredKey } from "./checkpoints/restorable.ts";
import type { RestoreChoice } from "./checkpoints/restore-plan.ts";
import type { RestoreRequest, Restoring } from "./checkpoints/restoring.ts";
import { agreedContact, checkContact, contactStatus } from "./contact.ts";
import type { HostState } from "./hosts/host-frames.ts";
import type { HostLinks } from "./hosts/host-links.ts";
import { shownRole } from "./hosts/peers.ts";
import type { Firmware } from "./images/firmware.ts";
import type { ReadRequest } from "./images/release-request.ts";
import type { KeepingRoom } from "./keeping/keeping-room.ts";
import type { RestoreWish } from "./keeping/restoration.ts";
import { changeVoters, type VoterChange } from "./members/change-voters.ts";
import { listMembers } from "./members/member-list.ts";
import { votersOf, votersToText } from "./members/voter-names.ts";
import type { Queries } from "./queries/queries.ts";
import { commandIdToText } from "./raft/command-id.ts";
import { votersKey } from "./raft/host-member-types.ts";
import type { Committed } from "./raft/outcomes.ts";
import type { Replica } from "./raft/replica.ts";
import { nameOf } from "./raft/voter-policy.ts";
import type { Registers } from "./registers/registers.ts";
import type { AgreedState } from "./state/agreed-state.ts";
import { type Command, carryOut, notLeading } from "./state/commands.ts";
import type { Deployment } from "./state/deployment.ts";
import { describeEntry } from "./state/entries.ts";
import { checkSetting, SettingRefused, type SettingValue } from "./state/settings.ts";
import type { HoldRequest } from "./tasks/hold-request.ts";
import type { TaskChange } from "./tasks/task-change.ts";
import type { Tasks } from "./tasks/tasks.ts";
import type { ReadingQuery, Telemetry } from "./telemetry/telemetry.ts";
import type { BoardSessions } from "./trust/board-sessions.ts";
import type { Membership } from "./trust/membership.ts";
import type { Violations } from "./violations.ts";

export interface HostParts {
  readonly definition: SwarmDefinition;
  readonly hostName: string;
  readonly state: AgreedState;
  readonly violations: Violations;
  readonly boards: BoardRegistry;
  readonly telemetry: Telemetry;
  /** undefined in a swarm without alerts. */
  readonly alerts: Alerts | undefined;
  readonly queries: Queries;
  readonly tasks: Tasks;
  readonly keeping: KeepingRoom;
  readonly registers: Registers;
  readonly replica: Replica;
  readonly deployment: Deployment;
  readonly firmware: Firmware;
  readonly actions: Actions;
  readonly checkpoints: Checkpoints;
  readonly restoring: Restoring;
  readonly broker: Broker;
  readonly sessions: BoardSessions;
  readonly links: HostLinks;
  /** What the other hosts last said of themselves, by name. */
  readonly peers: ReadonlyMap<string, HostState>;
  readonly feed: StatusFeed;
  readonly membership: Membership;
  /** This host, when it asks the leader on its own behalf. */
  readonly own: Actor;
  readonly reach: Reach;
}

export class HostOverview implements HostView {
  readonly feed: StatusFeed;
  readonly #parts: HostParts;
  readonly #startedMs = performance.now();

  constructor(parts: HostParts) {
    this.#parts = parts;
    this.feed = parts.feed;
  }

  get hostName(): string {
    return this.#parts.hostName;
  }

  get registers(): Registers {
    return this.#parts.registers;
  }

  get leader(): HostView["leader"] {
    const { replica } = this.#parts;
    if (replica.isLeader) return "here";
    const { leaderId } = replica.status();
    return leaderId === undefined ? undefined : this.#connected(nameOf(leaderId));
  }

  /** The other hosts that are connected. */
  peerHosts(): PeerHost[] {
    const { links, own } = this.#parts;
    return [...links.peers.keys()].flatMap((name) => {
      const host = this.#connected(name);
      if (host === undefined) return [];
      return [
        { name, fetch: (target, bytesMax) => fetchFrom(host, target, own, bytesMax) } satisfies PeerHost,
      ];
    });
  }

  #connected(host: string): Leader | undefined {
    const { links, membership } = this.#parts;
    const url = links.peers.get(host)?.url;
    if (url === undefined) return undefined;
    const authority = authorityOf(membership.own.tls);
    return { url, authority, vouch: (request, actor) => links.vouch(host, request, actor) };
  }

  async confirm(waitMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), waitMs);
    });
    const confirmed = this.#parts.replica.readIndex().then(
      () => true,
      () => false,
    );
    try {
      return await Promise.race([confirmed, tooLate]);
    } finally {
      clearTimeout(timer);
    }
  }

  status(isConfirmed: boolean): Status {
    const { definition, replica, boards, violations, broker, reach, state } = this.#parts;
    const { id, role, term, lastIndex, commitIndex, appliedIndex, voters } = replica.status();
    const kept = this.#parts.keeping.summary();
    const registers = this.#parts.registers.values();
    return {
      swarm: definition.name,
      isConfirmed,
      leader: {
        id,
        role: shownRole(role),
        term,
        lastIndex,
        commitIndex,
        appliedIndex,
        pid: process.pid,
        uptimeMs: Math.round(performance.now() - this.#startedMs),
        mqttPort: broker.port,
        httpPort: reach.port,
        voters,
      },
      hosts: this.#hosts(),
      boards: boards.status((member) => voters.includes(member)),
      settings: this.settings(),
      ...(registers === undefined ? {} : { registers }),
      contact: contactStatus(state),
      checkpoints: this.#parts.checkpoints.newest,
      ...(this.#parts.alerts === undefined ? {} : { alerts: this.#firing() }),
      ...(kept === undefined ? {} : { keeping: kept }),
      counters: this.#counters(),
      violations: violations.sentences,
    };
  }

  #firing(): AlertStatus[] {
    return this.alerts().alerts.filter(({ phase }) => phase === "firing");
  }

  settings(): Record<string, Setting> {
    const { definition, state } = this.#parts;
    const settings: Record<string, Setting> = {};
    for (const [key, takes] of Object.entries(definition.settings)) {
      const agreed = state.get(key);
      const value = (agreed?.value ?? takes.initial) as SettingValue;
      const unit = takes.type === "number" ? takes.unit : "";
      settings[key] = { value, unit, index: agreed?.index ?? 0, takes };
    }
    return settings;
  }

  newCommandId(): string {
    return commandIdToText(this.#parts.replica.newCommandId());
  }

  async set({ key, value, expected, id, actor, isForwarded }: SetCommand): Promise<SetResult> {
    const { replica } = this.#parts;
    const check = isForwarded && actor.role === "host" && isAuditKey(key) ? checkAudit : this.#check;
    const checked = check(key, value);
    const condition = expected === undefined ? undefined : check(key, expected);
    const command: Command = { key, value: checked, id: id ?? replica.newCommandId(), expected: condition };
    const { index, term } = await this.#carryOut(command, actor, isForwarded);
    return { key, value: checked, index, term };
  }

  /** A refusal, kept as long as there is room: see `AuditRing`. */
  async putAudit(key: string, text: string, present: string | undefined): Promise<void> {
    const { replica, own } = this.#parts;
    const isNew = present === undefined;
    const command: Command = { key, value: text, id: replica.newCommandId(), expected: present, isNew };
    await this.#carryOut(command, own, false);
  }

  contact(): AgreedContact {
    return { ...agreedContact(this.#parts.state), root: this.#root };
  }

  async takeContact(sealed: Uint8Array): Promise<ContactStatus> {
    const { replica, state } = this.#parts;
    if (!(await this.confirm(membersWaitMs))) throw notLeading(replica);
    const { present, isThere } = checkContact(state, sealed);
    try {
      if (!isThere) await this.putAlone(contactStateKey, sealed, present);
    } catch (error) {
      // Another one was agreed on meanwhile: what it is, the check says.
      if (error instanceof ApiFailure && error.code === "unexpected-value") checkContact(state, sealed);
      throw error;
    }
    return contactStatus(state)!;
  }

  async checkpoints(): Promise<CheckpointListing> {
    const restored = this.#parts.state.get(restoredKey)?.value;
    const listed = await this.#parts.checkpoints.list();
    return { checkpoints: listed, ...(typeof restored === "string" ? { restored } : {}) };
  }

  checkpointCopies(): ReturnType<Checkpoints["copies"]> {
    return this.#parts.checkpoints.copies();
  }

  checkpointCopy(name: string): Uint8Array {
    return this.#parts.checkpoints.copy(name);
  }

  async createCheckpoint(name: string, actor: Actor): Promise<CheckpointListed> {
    await this.#confirmed();
    await this.#parts.checkpoints.create(name, actor.name, false);
    return (await this.#parts.checkpoints.list()).find((listed) => listed.name === name)!;
  }

  async deleteCheckpoint(name: string): Promise<void> {
    await this.#confirmed();
    await this.#parts.checkpoints.delete(name);
  }

  async compareCheckpoints(from: string, to: string, choice: RestoreChoice): Promise<CheckpointDifference> {
    await this.#confirmed();
    return this.#parts.restoring.compare(from, to, choice);
  }

  async restoreCheckpoint(request: RestoreRequest, actor: Actor): Promise<CheckpointRestored> {
    await this.#confirmed();
    return this.#parts.restoring.restore(request, actor.name);
  }

  /** What is read next is all that anybody was told is committed. Rejects with `ApiFailure`. */
  async #confirmed(): Promise<void> {
    if (!(await this.confirm(membersWaitMs))) throw notLeading(this.#parts.replica);
  }

  releases(): Releases {
    const { replica, boards, firmware } = this.#parts;
    const { voters } = replica.status();
    return { ...firmware.listing(boards.status((member) => voters.includes(member))), root: this.#root };
  }

  async propose({ signed, boards }: ReadRequest, actor: Actor): Promise<ReleaseAgreed> {
    const { replica, firmware } = this.#parts;
    if (!(await this.confirm(membersWaitMs))) throw notLeading(replica);
    return firmware.proposals.propose(signed, boards, actor);
  }

  /** What no client sets, as long as this host leads. Rejects with `ApiFailure`. */
  async putAlone(key: string, value: StateValue | undefined, present: StateValue | undefined): Promise<void> {
    const id = this.#parts.replica.newCommandId();
    const command: Command = { key, value, id, expected: present, isNew: present === undefined };
    await carryOut({ ...this.#parts, askLeader: () => undefined }, command, true);
  }

  actions(): ActionStatus[] {
    return this.#parts.actions.list();
  }

  async act(request: ActionRequest, actor: Actor): Promise<ActionBegun> {
    const { replica, actions } = this.#parts;
    // What was begun before is known then, and in the way of what it is in conflict with.
    if (!(await this.confirm(membersWaitMs))) throw notLeading(replica);
    return actions.begin(request, actor);
  }

  tasks(): TasksStatus {
    return this.#parts.tasks.status();
  }

  async changeTasks({ action, name }: TaskChange): Promise<TasksStatus> {
    const { replica, tasks } = this.#parts;
    if (!(await this.confirm(membersWaitMs))) throw notLeading(replica);
    if (action === "add") await tasks.add(name);
    else if (action === "remove") await tasks.remove(name);
    else await tasks.drain(name, action === "drain");
    return tasks.status();
  }

  holdTask(task: string, request: HoldRequest): HoldAnswer {
    return this.#parts.tasks.hold(task, request);
  }

  keep(): KeepStatus {
    return this.#parts.keeping.status();
  }

  restoreKept(wish: RestoreWish): KeepRestored {
    return this.#parts.keeping.restore(wish);
  }

  keptReadings(query: ReadingQuery): AsyncIterable<string> {
    return this.#parts.keeping.readings(query);
  }

  audit(): AuditEntry[] {
    return readAudit((key) => this.#parts.state.get(key));
  }

  /** A change of an alert's record, made only if it is still `present`. `text` undefined deletes it. */
  async putAlert(key: string, text: string | undefined, present: string | undefined): Promise<void> {
    const { replica } = this.#parts;
    const isNew = present === undefined;
    const command: Command = { key, value: text, id: replica.newCommandId(), expected: present, isNew };
    await carryOut({ ...this.#parts, askLeader: () => undefined }, command, true);
  }

  alerts(): AlertsAnswer {
    return this.#parts.alerts?.list() ?? { alerts: [], watched: 0, webhooks: [] };
  }

  async acknowledgeAlert(alert: string, board: string | undefined, actor: Actor): Promise<AlertStatus[]> {
    if (!(await this.confirm(membersWaitMs))) throw notLeading(this.#parts.replica);
    return this.#someAlerts().acknowledge(alert, board, actor.name);
  }

  async testAlerts(): Promise<AlertTested[]> {
    if (!(await this.confirm(membersWaitMs))) throw notLeading(this.#parts.replica);
    return this.#someAlerts().test();
  }

  query(text: string, isWanted: (board: string) => boolean): Promise<QueryAnswer> {
    return this.#parts.queries.run(text, isWanted);
  }

  get rosterEpoch(): number {
    return this.#parts.membership.roster.epoch;
  }

  async takeRoster(statement: Uint8Array): Promise<{ epoch: number }> {
    const { replica, state, definition, membership } = this.#parts;
    const { ciphers, own } = membership;
    const wanted = readRoster(ciphers, own.root, statement);
    if (wanted === undefined || wanted.swarm !== definition.name) {
      throw new ApiFailure("bad-request", `The root of ${definition.name} did not sign that.`);
    }
    if (!(await this.confirm(membersWaitMs))) throw notLeading(replica);
    const present = state.get(rosterKey)?.value;
    const { epoch } = wanted;
    // Whoever was told of a time-out asks again.
    if (present instanceof Uint8Array && isSameBytes(present, statement)) return { epoch };
    const agreed = present instanceof Uint8Array ? readRoster(ciphers, own.root, present) : undefined;
    // What this host knows may be newer than the state, of which more can be lost.
    const known = Math.max(agreed?.epoch ?? 0, membership.roster.epoch - 1);
    if (epoch <= known) {
      throw new ApiFailure(
        "not-newer",
        `Epoch ${Math.max(known, membership.roster.epoch)} is known already, and this statement is of epoch ${epoch}; make a newer one with covey keys.`,
      );
    }
    const command: Command = {
      key: rosterKey,
      value: statement,
      id: replica.newCommandId(),
      // A statement that was agreed on since then may be newer than this one.
      expected: present,
      isNew: present === undefined,
    };
    try {
      await carryOut({ ...this.#parts, askLeader: () => undefined }, command, true);
    } catch (error) {
      if (!(error instanceof ApiFailure) || error.code !== "unexpected-value") throw error;
      throw new ApiFailure(
        "not-newer",
        "Another statement was agreed on meanwhile; look at it and try again.",
      );
    }
    return { epoch };
  }

  members(): Members {
    const { replica, boards, state } = this.#parts;
    const status = replica.status();
    return listMembers({
      replica: status,
      hosts: this.#hosts(),
      boards: boards.status((member) => status.voters.includes(member)),
      voterNames: votersOf(state) ?? this.#parts.definition.voters,
    });
  }

  async changeVoters(change: VoterChange): Promise<VotersChanged> {
    const { replica, state } = this.#parts;
    if (!(await this.confirm(membersWaitMs))) throw notLeading(replica);
    const present = votersOf(state);
    if (present === undefined) throw notLeading(replica);
    const { names, warning } = changeVoters(present, this.members(), change, {
      sleepers: this.#sleepers,
    });
    const command: Command = {
      key: votersKey,
      value: votersToText(names),
      id: replica.newCommandId(),
      // Somebody else's change since then would be undone.
      expected: votersToText(present),
    };
    await carryOut({ ...this.#parts, askLeader: () => undefined }, command, true);
    return { voters: names, warning };
  }

  transfer(to: string): void {
    const { replica, definition } = this.#parts;
    if (!replica.isLeader) throw notLeading(replica);
    if (!definition.hosts.includes(to)) {
      const others =
        definition.hosts.filter((host) => host !== this.hostName).join(" or ") || "no other host";
      throw new ApiFailure("bad-request", `${to} is no host: only hosts lead, and this swarm has ${others}.`);
    }
    if (to === this.hostName) throw new ApiFailure("bad-request", `${to} leads already.`);
    const silentMs = this.members().members.find(({ name }) => name === to)?.silentMs;
    if (silentMs === undefined || silentMs > transferSilenceMs) {
      throw new ApiFailure("bad-request", `${to} does not answer, so it cannot lead: start it first.`);
    }
    try {
      replica.transfer(to);
    } catch (error) {
      if (error instanceof Error) throw new ApiFailure("not-leader", error.message);
      throw error;
    }
  }

  log(from: number | undefined, limit: number): LogEntry[] {
    const { firstIndex, lastIndex, commitIndex } = this.#parts.replica.status();
    const first = Math.max(firstIndex, from ?? lastIndex - limit + 1);
    const entries: readonly Entry[] = first > lastIndex ? [] : this.#parts.replica.entries(first, limit);
    return entries.map((entry) => describeEntry(entry, commitIndex));
  }

  newestReadings(query: ReadingQuery, limit: number): StoredReading[] {
    return this.#parts.telemetry.newest(query, limit);
  }

  readingPages(query: ReadingQuery): Iterable<readonly StoredReading[]> {
    return this.#parts.telemetry.pages(query);
  }

  #someAlerts(): Alerts {
    const { alerts } = this.#parts;
    if (alerts !== undefined) return alerts;
    throw new ApiFailure(
      "not-found",
      "This swarm has no alerts; swarm.ts says alerts: {...} (docs/alerts.md).",
    );
  }

  #hosts(): HostStatus[] {
    const { definition, hostName, replica, boards, links, peers } = this.#parts;
    const own = replica.status();
    return definition.hosts.map((name) => {
      const isHere = name === hostName;
      const peer = isHere ? { ...own, memberId: own.id, role: shownRole(own.role) } : peers.get(name);
      const memberId = peer?.memberId ?? own.voters.find((voter) => nameOf(voter) === name);
      return {
        name,
        memberId,
        role: isHere || links.isUp(name) ? (peer?.role ?? "unknown") : "unknown",
        link: isHere || links.isUp(name) ? "up" : "down",
        isVoter: memberId !== undefined && own.voters.includes(memberId),
        term: peer?.term ?? 0,
        commitIndex: peer?.commitIndex ?? 0,
        appliedIndex: peer?.appliedIndex ?? 0,
        url: isHere ? this.#url : links.peers.get(name)?.url,
        boards: boards.countAt(name),
      };
    });
  }

  get #sleepers(): ReadonlySet<string> {
    const boards = Object.entries(this.#parts.definition.boards);
    return new Set(boards.filter(([, { program }]) => program.sleep !== undefined).map(([name]) => name));
  }

  get #url(): string {
    return this.#parts.reach.url;
  }

  #counters(): Counters {
    const { broker, sessions, telemetry, links } = this.#parts;
    const more = { sessions: { ...sessions.counters }, hosts: { ...links.traffic } };
    return { ...broker.counters, readingsStored: telemetry.stored, ...more };
  }

  #carryOut(command: Command, actor: Actor, isForwarded: boolean): Promise<Committed> {
    const askLeader = (wanted: Command, timeoutMs: number) => {
      const { leader } = this;
      return leader === undefined || leader === "here"
        ? undefined
        : askToSet(leader, wanted, actor, timeoutMs);
    };
    return carryOut({ ...this.#parts, askLeader }, command, isForwarded);
  }

  readonly #check = (key: string, value: unknown): SettingValue => {
    this.#parts.registers.demandNone(key);
    try {
      return checkSetting(this.#parts.definition.settings, key, value);
    } catch (error) {
      throw error instanceof SettingRefused ? new ApiFailure(error.code, error.message) : error;
    }
  };

  get #root(): string {
    return Buffer.from(this.#parts.membership.own.root).toString("base64url");
  }
}

function checkAudit(key: string, value: unknown): SettingValue {
  if (typeof value === "string" && Buffer.byteLength(value) <= stateLimits.textBytesMax) return value;
  throw new ApiFailure("bad-request", `${key} takes text of at most ${stateLimits.textBytesMax} bytes.`);
}

/** For a majority to confirm who votes at present. */
const membersWaitMs = 3_000;
/** A host that did not answer for so long will not take over at once. */
const transferSilenceMs = 1_000;
