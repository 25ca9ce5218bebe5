/**
 * A board: everything that it does, made of the parts around this file, on whatever ports it is given.
 *
 * It starts by recovering what it knew, and runs the program of the committed state at once, leader or not. Then it brings
 * up its links, says hello, and follows: each append request is made durable, what it commits is applied, and only
 * then is it answered. Whatever comes in (the network, a socket, the clock) is one turn: it is handled to its end, and the next
 * deadline is set. An error that nobody expected ends the board with a restart; its flash holds all that it promised.
 */
import { encodeCbor } from "../../protocols/cbor/encode.ts";
import { messageLimits } from "../../protocols/messages/board-messages.ts";
import { goneToWire } from "../../protocols/messages/codec.ts";
import { boardTopics } from "../../protocols/messages/topics.ts";
import type { WifiCredentials } from "../../protocols/provisioning/contact.ts";
import type { MemberId, Message } from "../../protocols/raft/types.ts";
import { rosterKey } from "../../protocols/security/identity/roster.ts";
import type { StateValue } from "../../protocols/state/command.ts";
import { type TurnPurpose, turnKey } from "../../protocols/turns/turn.ts";
import { Improv } from "../improv/improv.ts";
import type { WifiSwitch } from "../improv/wifi-switch.ts";
import { type Ports, type Timer, watchdogMs } from "../platform/ports.ts";
import { BlockQueue } from "../sensing/block-queue.ts";
import { ReadingQueue } from "../sensing/reading-queue.ts";
import { Sensing } from "../sensing/sensing.ts";
import type { BoardStore } from "../storage/board-store.ts";
import { Checkpoints } from "../storage/checkpoints.ts";
import { Updater } from "../update/updater.ts";
import { BoardLog } from "./board-log.ts";
import { CommittedProgram } from "./committed-program.ts";
import { Contacts } from "./contacts.ts";
import { CrashLoop } from "./crash-loop.ts";
import { noteCrash } from "./crash-note.ts";
import { HostFinder } from "./host-finder.ts";
import { Life, type LifeState } from "./life.ts";
import type { Link, LinkState } from "./link.ts";
import type { LinkEvents } from "./link-parts.ts";
import { Links } from "./links.ts";
import { Member, type MemberEvents } from "./member.ts";
import { Messenger } from "./messenger.ts";
import { NamedValues } from "./named-values.ts";
import { BoardSensingParts } from "./sensing-parts.ts";
import { Telemetry } from "./telemetry.ts";
import { Together } from "./together.ts";
import { Trust } from "./trust.ts";
import type { Turns } from "./turns.ts";
import { hasTurn, type Leaving, VoterTurn } from "./voter-turn.ts";
import { WallTime } from "./wall-time.ts";

export const boardLimits = Object.freeze({
  /** Readings that wait for a report while there is no link: 3.5 KB of heap. */
  readingsMax: 6 * messageLimits.readingsMax,
  /** Blocks that wait for a report while there is no link: 5.3 KB of heap when there are so many, hundreds of readings each. */
  blocksMax: 16,
});

export class Board implements Turns, LinkEvents, MemberEvents, WifiSwitch, Leaving {
  readonly #ports: Ports;
  readonly #log: BoardLog;
  readonly #store: BoardStore;
  readonly #member: Member;
  readonly #queue = new ReadingQueue(boardLimits.readingsMax);
  readonly #blocks = new BlockQueue(boardLimits.blocksMax);
  readonly #sensing: Sensing;
  readonly #time: WallTime;
  readonly #trust: Trust;
  readonly #links: Links;
  readonly #finder: HostFinder;
  readonly #contacts: Contacts;
  readonly #telemetry: Telemetry;
  readonly #checkpoints: Checkpoints;
  readonly #program: CommittedProgram;
  readonly #crashLoop: CrashLoop;
  readonly #life: Life;
  readonly #messenger: Messenger;
  readonly #together: Together;
  /** undefined where the firmware can't be replaced. */
  readonly #updater: Updater | undefined;
  /** undefined where nobody near the board could speak to it. */
  readonly #improv: Improv | undefined;
  readonly #bootMs: number;
  /** One closure for every timer that is ever set. */
  readonly #onTimer = () => this.onTime();
  #timer: Timer | undefined;
  #timerMs = Infinity;
  /**
   * When the links have something to do. `setTimer` works it out where a turn ends, and a turn that comes by the clock need not ask again: nothing happens to links
   * outside of turns. In all others, which something has begun, they may have something to do at once: `begin`.
   */
  #linksDueMs = -Infinity;
  #outputChanges = 0;
  /** undefined as long as it wants no turn to be away, and has none. */
  #turn: VoterTurn | undefined;
  #isHalted = false;

  /** On what `store` has recovered. Nothing moves before `start`. */
  constructor(ports: Ports, store: BoardStore) {
    const { ciphers, clock, network, random, system } = ports;
    const { config } = system;
    const log = new BoardLog(system);
    this.#ports = ports;
    this.#log = log;
    this.#store = store;
    this.#bootMs = clock.nowMs();
    this.#member = new Member(store, ports, log, this);
    const values = new NamedValues(store, config.board);
    this.#time = new WallTime({ clock, random, network, log, turns: this }, config.timeServer);
    const sensingParts = new BoardSensingParts(ports, values, this.#queue, this.#blocks, this.#time, log);
    this.#sensing = new Sensing(sensingParts);
    this.#checkpoints = new Checkpoints(store, this.#sensing, this.#bootMs);
    this.#crashLoop = new CrashLoop(store, log, system.startReason, this.#bootMs);
    this.#program = new CommittedProgram(store, values, this.#sensing, this.#crashLoop, log, config.board);
    this.#life = new Life(log, this.#bootMs);
    const topics = boardTopics(config.swarm, config.board);
    this.#trust = new Trust(ciphers, config, topics.all, log);
    const linkParts = { clock, random, network, log, turns: this, trust: this.#trust, topics };
    this.#links = new Links(linkParts, this, config, encodeCbor(goneToWire(store.memberId)));
    this.#finder = new HostFinder(linkParts, config.swarm, this.#links);
    this.#contacts = this.newContacts();
    this.#telemetry = new Telemetry(this.#queue, this.#blocks);
    this.#updater = this.newUpdater();
    this.#improv = this.newImprov();
    this.#messenger = new Messenger(
      {
        system,
        store,
        member: this.#member,
        sensing: this.#sensing,
        queue: this.#queue,
        blocks: this.#blocks,
        telemetry: this.#telemetry,
        links: this.#links,
        time: this.#time,
        crashLoop: this.#crashLoop,
        checkpoints: this.#checkpoints,
        trust: this.#trust,
        contacts: this.#contacts,
        updater: this.#updater,
      },
      clock,
      random,
      this.#bootMs,
    );
    this.#together = new Together({
      ...{ ...linkParts, board: config.board, swarm: config.swarm, store, values },
      ...{ sensing: this.#sensing, time: this.#time, member: this.#member, links: this.#links },
      ...{ messenger: this.#messenger, program: this.#program, crashLoop: this.#crashLoop },
      ...{ keeping: ports.keeping, life: this.#life },
    });
  }

  get memberId(): string {
    return this.#store.memberId;
  }

  /** What its flash holds; to be looked at, not changed. */
  get store(): BoardStore {
    return this.#store;
  }

  get commitIndex(): number {
    return this.#member.commitIndex;
  }

  /** Of the link that has come furthest. */
  get linkState(): LinkState {
    return this.#links.state;
  }

  get lifeState(): LifeState {
    return this.#life.state;
  }

  /** Runs the committed program where the last checkpoint left it, then brings up the network. */
  start(): void {
    try {
      this.#program.load(this.#bootMs);
      const restored = this.#checkpoints.restore(this.#bootMs);
      if (restored > 0) this.#log.write("info", "checkpoint-restored", "parts", restored);
      this.onTurn();
      this.#trust.takeRoster(this.#store.get(rosterKey));
      this.#together.start(this.#bootMs);
      this.wakeSessions();
      this.#links.setVoter(this.#member.isVoter);
      this.#contacts.start(this.#bootMs);
      this.#ports.network.start((up) => this.onNetworkChange(up));
    } catch (error) {
      this.fail(error);
    }
    this.end();
  }

  private newContacts(): Contacts {
    const { random, ciphers, network, keyValue, system } = this.#ports;
    const parts = {
      ...{ config: system.config, random, ciphers, network, keyValue },
      ...{ store: this.#store, log: this.#log },
      ...{ links: this.#links, time: this.#time, finder: this.#finder },
      leaving: this,
    };
    return new Contacts(parts, this.#bootMs);
  }

  private newUpdater(): Updater | undefined {
    const { keyValue, update: slot } = this.#ports;
    if (keyValue === undefined || slot === undefined) return undefined;
    const parts = {
      ports: this.#ports,
      keyValue,
      slot,
      store: this.#store,
      log: this.#log,
      links: this.#links,
      life: this.#life,
      leaving: this,
      telemetry: this.#telemetry,
    };
    return new Updater(parts, this.#bootMs);
  }

  private newImprov(): Improv | undefined {
    const ports = this.#ports;
    const { clock, network, system } = ports;
    if (ports.serial === undefined && ports.bluetooth === undefined) return undefined;
    const parts = { clock, ports, network, log: this.#log, turns: this, wifi: this };
    return new Improv(parts, system.config.model, system.config.board);
  }

  /** Tries a Wi-Fi that somebody who stands there gives the board: see `Contacts`. */
  tryWifi(wifi: WifiCredentials, onOutcome: (isJoined: boolean) => void): boolean {
    return this.#contacts.tryWifi(wifi, onOutcome, this.#ports.clock.nowMs());
  }

  // Turns.

  begin(): boolean {
    this.#linksDueMs = -Infinity;
    return !this.#isHalted;
  }

  fail(error: unknown): void {
    if (this.#isHalted) return;
    this.halt();
    this.#ports.system.restart(noteCrash(error, this.#store, this.#log));
  }

  /** Does what is due, then sets the timer for what is due next. */
  end(): void {
    if (this.#isHalted) return;
    try {
      const nowMs = this.#ports.clock.nowMs();
      this.run(nowMs);
      const reason = this.#crashLoop.run(nowMs) ? "safe mode has been quiet" : this.#updater?.run(nowMs);
      if (reason !== undefined) this.restart(reason);
      else if (!this.sleepIfTired(nowMs)) this.setTimer(nowMs);
      this.#ports.system.feedWatchdog?.(watchdogMs);
    } catch (error) {
      this.fail(error);
    }
  }

  private onTime(): void {
    this.#messenger.noteLoopDelay(this.#ports.clock.nowMs() - this.#timerMs);
    this.#timer = undefined;
    this.#timerMs = Infinity;
    this.end();
  }

  private onNetworkChange(up: boolean): void {
    if (!this.begin()) return;
    try {
      this.#links.onNetworkChange(up);
      this.#finder.onNetworkChange(up);
      this.#contacts.onNetworkChange(up);
      this.#time.onNetworkChange(up);
      this.#together.onNetworkChange(up);
      this.#improv?.onNetworkChange(up);
    } catch (error) {
      this.fail(error);
    }
    this.end();
  }

  private run(nowMs: number): void {
    if (nowMs >= this.#linksDueMs) this.#links.run(nowMs);
    this.#member.run(nowMs);
    this.#links.setVoter(this.#member.isVoter);
    const isJoined = this.#links.state === "joined";
    this.#contacts.run(nowMs, isJoined);
    this.runTurn(nowMs);
    this.#finder.run(nowMs, isJoined, this.#links.knowsHosts);
    this.#improv?.run(nowMs);
    if (this.#time.run(nowMs)) this.#sensing.onTime(nowMs);
    this.#together.runTasks(nowMs, isJoined);
    // What is sampled while the last is told would be lost.
    if (this.#life.isTelling(nowMs)) this.#sensing.flush();
    else if (nowMs >= this.#sensing.dueMs) this.#sensing.run(nowMs);
    this.#together.run(nowMs, isJoined);
    const { state } = this.#links;
    if (state !== "joined") this.#telemetry.leave();
    this.#life.onLink(state);
    this.noteOutputs();
    this.#telemetry.run(nowMs, this.#messenger);
    this.#checkpoints.run(nowMs);
    this.#store.tidy();
  }

  /** What it would leave for, if anything, and where it is: the leader is told, and gives it the turn. */
  private runTurn(nowMs: number): void {
    const wants = this.wantsTurn(nowMs);
    if (wants !== undefined && this.#member.isVoter) this.takeTurn();
    if (this.#turn === undefined) return;
    const isAway = this.#contacts.isAway || this.#updater?.isOnTrial === true;
    const isInStep = this.#life.state === "running" && this.#links.hearsLeader(nowMs);
    const word = this.#turn.next({ wants, isAway, isInStep }, nowMs);
    if (word !== undefined) this.#messenger.sendTurn(word);
  }

  mayLeave(purpose: TurnPurpose, nowMs: number): boolean {
    if (!this.#member.isVoter) return true;
    return this.#turn?.isGranted(purpose, nowMs) === true && this.#links.hearsLeader(nowMs);
  }

  private takeTurn(): VoterTurn {
    const { system, random } = this.#ports;
    this.#turn ??= new VoterTurn(system.config.board, this.#store, random);
    return this.#turn;
  }

  private onTurn(): void {
    if (this.#turn !== undefined) this.#turn.onStateReplaced();
    else if (hasTurn(this.#store, this.#ports.system.config.board)) this.takeTurn();
  }

  private wantsTurn(nowMs: number): TurnPurpose | undefined {
    if (this.#updater?.wantsTurn) return "update";
    return this.#contacts.wantsTurn(nowMs) ? "move" : undefined;
  }

  /** An earlier timer is left alone: it finds nothing to do and sets the right one. */
  private setTimer(nowMs: number): void {
    const lifeMs = Math.min(this.#checkpoints.dueMs, this.#crashLoop.dueMs, this.#life.dueMs(nowMs));
    const nearMs = this.#improv?.dueMs ?? Infinity;
    this.#linksDueMs = this.#links.dueMs;
    const netMs = Math.min(this.#linksDueMs, this.#finder.dueMs, this.#time.dueMs, nearMs);
    const linkMs = Math.min(netMs, this.#member.dueMs, this.#telemetry.dueMs);
    const sampleMs = this.#life.isTelling(nowMs) ? Infinity : this.#sensing.dueMs;
    const updateMs = this.#updater?.dueMs(nowMs) ?? Infinity;
    const awayMs = this.#turn?.dueMs(this.wantsTurn(nowMs)) ?? Infinity;
    const togetherMs = Math.min(this.#together.dueMs(nowMs), awayMs);
    const dueMs = Math.min(sampleMs, linkMs, lifeMs, updateMs, togetherMs, nowMs + turnEveryMs);
    if (dueMs >= this.#timerMs) return;
    this.#timer?.cancel();
    this.#timerMs = Math.max(nowMs, dueMs);
    this.#timer = this.#ports.clock.setTimer(Math.max(0, dueMs - nowMs), this.#onTimer);
  }

  // Ends.

  /** An orderly end: nothing is lost that a checkpoint can keep. */
  restart(reason: string): void {
    if (this.#isHalted) return;
    this.halt();
    this.#checkpoints.save(this.#ports.clock.nowMs());
    this.#updater?.save();
    this.#log.write("info", "restart", "reason", reason);
    this.#ports.system.restart(reason);
  }

  private sleepIfTired(nowMs: number): boolean {
    const { system } = this.#ports;
    const isNeeded = this.#member.isVoter || this.#together.isMember;
    const maySleep = system.deepSleep !== undefined && !isNeeded;
    this.#life.planSleep(maySleep ? this.#program.sleep : undefined);
    if (!this.#life.sleeps) return false;
    const isTold = this.#life.isTelling(nowMs) && this.#messenger.isAllTold();
    if (!this.#life.isTired(nowMs, isTold)) return false;
    const durationMs = this.#life.sleep(nowMs);
    this.#contacts.onSleep();
    this.#checkpoints.save(nowMs);
    this.#updater?.save();
    this.#log.write("info", "sleep", "durationMs", durationMs, "readingsLost", this.#queue.length);
    this.#messenger.leave();
    const sessions = this.#trust.save();
    if (sessions !== undefined) this.#store.keep(sessions);
    this.#isHalted = true;
    this.#timer?.cancel();
    system.deepSleep!(durationMs);
    return true;
  }

  /** A start that is no waking makes sessions anew, whatever was kept. */
  private wakeSessions(): void {
    const kept = this.#store.takeKept();
    if (kept === undefined || this.#ports.system.startReason !== "sleep") return;
    this.#log.write("info", "sessions-restored", "sessions", this.#trust.restore(kept));
  }

  private halt(): void {
    this.#isHalted = true;
    this.#timer?.cancel();
    this.#life.halt();
  }

  // Links.

  /** For a link: the first message on every connection says who this is. */
  onJoined(link: Link): void {
    this.#messenger.sendHello(link);
    const { term } = this.#member;
    this.#log.write("info", "joined", "host", link.host.name, "member", this.memberId, "term", term);
    this.#telemetry.join(this.#ports.clock.nowMs());
  }

  /** For a link. Channels that this firmware does not know are for a newer one. */
  onPayload(link: Link, channel: string, payload: Uint8Array): void {
    if (channel === "raft") this.#member.take(payload, link);
    else if (channel === "time") this.#time.take(payload, this.#ports.clock.nowMs());
    else if (channel === "update") this.#updater?.take(payload, link, this.#ports.clock.nowMs());
    else if (channel === "query") this.#messenger.answerQuery(payload, link);
    else this.#together.onPayload(link, channel, payload, this.#ports.clock.nowMs());
  }

  onPublication(link: Link, payload: Uint8Array): void {
    this.#member.takePublication(payload, link);
  }

  // The member.

  mayCarry(link: Link, from: MemberId): boolean {
    return this.#links.mayCarry(link, from);
  }

  onAnswer(message: Message, link: Link): void {
    if (this.#member.isInStep(message)) {
      if (this.#life.onCaughtUp()) this.onCaughtUp();
      this.#contacts.onInStep(this.#ports.clock.nowMs());
    }
    this.#messenger.sendAnswer(message, link);
  }

  /** The first time since it started: the firmware works. */
  private onCaughtUp(): void {
    this.#ports.system.markValid?.();
    this.#updater?.onCaughtUp();
  }

  onLeader(link: Link): void {
    const nowMs = this.#ports.clock.nowMs();
    this.#links.onLeader(link, nowMs);
    this.#contacts.onLeader(nowMs);
  }

  onApplied(): void {
    this.#telemetry.tellNews();
  }

  onStateChange(key: string, value: StateValue | undefined, isMore: boolean): void {
    if (key === rosterKey) this.takeRoster(value);
    this.#contacts.onStateChange(key);
    if (key === turnKey) this.onTurn();
    this.#updater?.onStateChange(key);
    this.#together.onStateChange(key, value, this.#ports.clock.nowMs());
    this.#program.onStateChange(key, value, this.#ports.clock.nowMs(), isMore);
  }

  onLongWork(): void {
    this.#ports.system.feedWatchdog?.(watchdogMs);
  }

  onStateReplaced(): void {
    this.takeRoster(this.#store.get(rosterKey));
    this.#contacts.onStateReplaced();
    this.onTurn();
    this.#updater?.onStateReplaced();
    this.#together.onStateReplaced(this.#ports.clock.nowMs());
    this.#program.onStateReplaced(this.#ports.clock.nowMs());
    this.#telemetry.tellNews();
  }

  private takeRoster(value: StateValue | undefined): void {
    if (!this.#trust.takeRoster(value)) return;
    this.#links.onRoster(this.#ports.clock.nowMs());
    this.#together.onRoster();
  }

  private noteOutputs(): void {
    if (this.#outputChanges === this.#sensing.outputChanges) return;
    this.#outputChanges = this.#sensing.outputChanges;
    this.#telemetry.tellNews();
  }
}

/** A turn comes at least so often, so that whatever watches over the board is told that it lives. */
const turnEveryMs = watchdogMs / 10;
