/** What boards meet: the broker, their sessions, and what is made of what they tell. */
import { Alerts } from "../alerts/alerts.ts";
import { BoardRegistry } from "../boards/board-registry.ts";
import { startBroker } from "../broker/broker.ts";
import type { Broker } from "../broker/broker-types.ts";
import { Queries } from "../queries/queries.ts";
import { AgreedRegisters } from "../registers/agreed-registers.ts";
import { BoardSessions } from "../trust/board-sessions.ts";
import { CloneWatch, clonedSentence } from "../trust/clone-watch.ts";
import { GroupKeys } from "../trust/group-keys.ts";
import type { Agreement } from "./agreement.ts";
import type { Closing } from "./closing.ts";
import type { Ground } from "./ground.ts";
import type { HostParts } from "./host-parts.ts";

export interface BoardSide {
  readonly clones: CloneWatch;
  readonly boards: BoardRegistry;
  readonly agreedRegisters: AgreedRegisters;
  /** undefined in a swarm without alerts. */
  readonly alerts: Alerts | undefined;
  readonly queries: Queries;
  readonly groupKeys: GroupKeys;
  readonly sessions: BoardSessions;
  readonly broker: Broker;
}

/** From when this resolves boards may connect: the rest has to be there in the same turn of the event loop. @throws {PortUnavailable} */
export async function openBoardSide(
  there: Ground & Agreement,
  host: HostParts,
  closing: Closing,
): Promise<BoardSide> {
  const { options, definition, membership, reach, firmware, audit, log, state } = there;
  const { name: swarm } = definition;
  const clones = new CloneWatch((board) => {
    there.violations.add(clonedSentence(board));
    audit.refused(board, "one identity for two devices");
    there.feed.changed();
  });
  const boards = openRegistry(there, clones, host);
  const agreedRegisters = new AgreedRegisters(state);
  const alerts = openAlerts(there, agreedRegisters, host);
  closing.add(() => alerts?.stop());
  const queries = openQueries(there, host);
  closing.add(() => queries.stop());
  const groupKeys = new GroupKeys(membership, {
    tellBoards: (payload) => sessions.tellGroup(payload),
    tellHosts: (frame) => host.links.broadcast(frame),
  });
  const sessions = new BoardSessions({
    ...{ membership, swarm, boards: new Set(Object.keys(definition.boards)), log, audit },
    groupPayloads: () => groupKeys.payloads,
    onMessage: (link, channel, payload) => boards.receive(link, channel, payload),
    onDisconnect: (link) => {
      firmware.disconnected(link);
      boards.disconnected(link);
    },
  });
  const broker = await startBroker({
    ...{ swarm, host: reach.address, tls: reach.mqttTls, port: options.mqttPort, log },
    clients: sessions,
  });
  closing.add(() => broker.stop());
  return { clones, boards, agreedRegisters, alerts, queries, groupKeys, sessions, broker };
}

function openRegistry(there: Ground & Agreement, clones: CloneWatch, host: HostParts): BoardRegistry {
  const { definition, hostName, log, violations, telemetry, replica, firmware, actions, feed } = there;
  return new BoardRegistry({
    ...{ definition, hostName, log, violations, clones, now: Date.now },
    onReading: (reading) => {
      telemetry.add(reading);
      host.alerts?.reading(reading);
    },
    onMember: (id) => replica.addMember(id),
    onMemberLost: (id) => replica.removeMember(id),
    onMessage: (message) => host.routes.takeFromBoard(message),
    onWant: (link, want) => firmware.chunks.want(link, want),
    onRegisters: (board, report) => host.registers.reported(board, report),
    onClaim: (board, claim) => host.tasks.claim(board, claim),
    onTurn: (board, message, isHere) => host.turns.heard(board, message, isHere),
    taskMetric: (board, told) => host.tasks.metric(board, told),
    onActions: (board, reports) => actions.reported(board, reports),
    onBlock: (board, block) => host.keeping.takeBlock(board, block),
    onKeep: (board, payload) => host.keeping.takeAnswer(board, payload),
    tellHosts: (frame) => host.links.broadcast(frame),
    onChange: () => feed.changed(),
    onAnswer: (board, answer) => host.queries.take(board, answer),
  });
}

function openAlerts(
  { options, definition, state, replica, feed, log }: Ground & Agreement,
  registers: AgreedRegisters,
  host: HostParts,
): Alerts | undefined {
  if (definition.alerts === undefined) return undefined;
  return new Alerts({
    ...{ definition, secret: options.webhookSecret, log },
    get: (key) => {
      const copy = registers.copy(key);
      return copy === undefined ? state.get(key) : { value: copy.said.value, index: copy.index };
    },
    put: (key, text, present) => host.proposals.put(key, text, present),
    leads: () => replica.isLeader,
    confirm: () => host.leadership.confirm(alertConfirmMs),
    heardOf: (board) => host.boards.heardOf(board),
    onChange: () => feed.changed(),
    now: Date.now,
    monotonic: () => performance.now(),
  });
}

/** For a majority to confirm that this host may tell a webhook. */
const alertConfirmMs = 3_000;

function openQueries({ definition, hostName }: Ground, host: HostParts): Queries {
  return new Queries({
    definition,
    hostsOf: (board) => host.boards.hostsOfBoard(board),
    ask: (at, board, payload) => {
      if (at === hostName) return host.boards.sendHere(board, "query", payload);
      if (!host.links.isUp(at)) return false;
      host.links.send(at, { kind: "query", board, payload });
      return true;
    },
  });
}
