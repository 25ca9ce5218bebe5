/** What is between this host and the others, and what hosts do together: place tasks, give turns, keep readings, look after registers. */
import { HostLinks } from "../hosts/host-links.ts";
import { MessageRoutes } from "../hosts/message-routes.ts";
import { Peers } from "../hosts/peers.ts";
import { KeepingRoom } from "../keeping/keeping-room.ts";
import { Registers } from "../registers/registers.ts";
import { Tasks } from "../tasks/tasks.ts";
import { Turns } from "../turns/turns.ts";
import type { Agreement } from "./agreement.ts";
import type { BoardSide } from "./board-side.ts";
import type { Closing } from "./closing.ts";
import { type Ground, unitOf } from "./ground.ts";
import type { HostParts } from "./host-parts.ts";

export interface HostSide {
  readonly links: HostLinks;
  readonly peers: Peers;
  readonly routes: MessageRoutes;
  readonly tasks: Tasks;
  readonly turns: Turns;
  readonly keeping: KeepingRoom;
  readonly registers: Registers;
}

type There = Ground & Agreement & BoardSide;

export function openHostSide(there: There, host: HostParts, closing: Closing): HostSide {
  const { definition, hostName, directory, state, replica, boards, broker, groupKeys } = there;
  const { audit, telemetry, violations, log } = there;
  const tasks = openTasks(there, host);
  const peers = openPeers(there, tasks, host);
  const links = openLinks(there, peers, host);
  const turns = new Turns({
    ...{ state, replica, log, nowMs: () => performance.now() },
    put: (request) => replica.propose({ ...request, id: replica.newCommandId() }),
  });
  const keeping = new KeepingRoom({
    ...{ definition, hostName, directory, state, replica, boards, links },
    ...{ telemetry, unitOf: unitOf(definition), violations, log, audit },
  });
  closing.add(() => keeping.stop());
  const registers = new Registers({
    ...{ definition, hostName, agreed: there.agreedRegisters, replica, boards, links, log, audit },
    put: (puts) => host.proposals.putAll(puts),
  });
  const routes = new MessageRoutes({
    ...{ hostName, hostNames: definition.hosts, boards, broker, groupKeys, links },
    receive: (message) => replica.receive(message),
  });
  return { links, peers, routes, tasks, turns, keeping, registers };
}

function openTasks(there: There, host: HostParts): Tasks {
  const { definition, hostName, state, replica, boards, queries, telemetry, log } = there;
  return new Tasks({
    ...{ definition, hostName, state, replica, boards, log },
    peers: () => host.peers.states,
    sendToHost: (other, frame) => host.links.isUp(other) && host.links.send(other, frame),
    isUp: (other) => host.links.isUp(other),
    broadcast: (frame) => host.links.broadcast(frame),
    query: (text, isWanted) => queries.run(text, isWanted),
    store: (reading) => telemetry.add(reading),
  });
}

function openPeers(there: There, tasks: Tasks, host: HostParts): Peers {
  const { definition, hostName, replica, boards, broker, groupKeys, firmware, violations, feed, log } = there;
  return new Peers({
    ...{ hostName, hostNames: definition.hosts, replica, boards, broker, groupKeys, log, violations },
    ...{ images: firmware.exchange, tasks },
    takeMessage: (other, wire) => host.routes.takeFromHost(other, wire),
    takeKeeping: (other, frame) => host.keeping.takeFrame(other, frame),
    onChange: () => feed.changed(),
  });
}

function openLinks(there: There, peers: Peers, host: HostParts): HostLinks {
  const { options, definition, membership, reach, replica, audit, log } = there;
  return new HostLinks({
    ...{ member: membership.own, roster: membership.roster, audit },
    ...{ hostNames: definition.hosts, peers: options.peers },
    listenAddress: reach.address,
    port: options.peerPort,
    log,
    hello: () => ({ hasLog: !replica.isBlank, url: reach.url }),
    onUp: ({ host: other, hasLog }) => peers.up(other, hasLog, host.links),
    onDown: (other) => peers.down(other),
    onFrame: (other, frame) => peers.take(other, frame),
  });
}
