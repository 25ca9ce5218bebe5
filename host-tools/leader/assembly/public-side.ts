/** What people and programs meet: the HTTP interface, and what it asks of the host. */
import type { Server } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { Access } from "../access/access.ts";
import { createWebServer } from "../access/web-server.ts";
import { createApi } from "../api/api.ts";
import { createSetHandler } from "../api/set-handler.ts";
import { SwarmContact } from "../contact/swarm-contact.ts";
import { HostOverview } from "../host-overview.ts";
import { Leadership } from "../hosts/leadership.ts";
import { createUploadHandler } from "../images/upload-handler.ts";
import { SwarmMembers } from "../members/swarm-members.ts";
import { AgreedSettings } from "../state/agreed-settings.ts";
import { Proposals } from "../state/proposals.ts";
import { AgreedRoster } from "../trust/agreed-roster.ts";
import type { Agreement } from "./agreement.ts";
import type { BoardSide } from "./board-side.ts";
import type { Ground } from "./ground.ts";
import type { HostSide } from "./host-side.ts";

export interface PublicSide {
  readonly leadership: Leadership;
  readonly proposals: Proposals;
  readonly settings: AgreedSettings;
  readonly members: SwarmMembers;
  readonly roster: AgreedRoster;
  readonly contact: SwarmContact;
  readonly overview: HostOverview;
  readonly server: Server;
}

export function openPublicSide(there: Ground & Agreement & BoardSide & HostSide): PublicSide {
  const { definition, state, replica, deployment, links, peers, boards, membership, registers } = there;
  const { hostName, reach, log } = there;
  const leadership = new Leadership({ replica, links, membership });
  const proposals = new Proposals({ replica, deployment, state, leadership, own: membership.own.identity });
  const settings = new AgreedSettings({ definition, state, registers, proposals });
  const members = new SwarmMembers({
    ...{ definition, hostName, state, replica, leadership, proposals, boards, links, reach },
    peers: peers.states,
  });
  const roster = new AgreedRoster({ definition, state, membership, leadership, proposals, log });
  const contact = new SwarmContact({ state, leadership, proposals, root: membership.own.root });
  const overview = new HostOverview({ ...there, members, settings, contact });
  const rooms = { leadership, proposals, settings, members, roster, contact, overview };
  return { ...rooms, server: openServer({ ...there, ...rooms }) };
}

/** Nothing is asked of it before it listens. */
function openServer(host: Ground & Agreement & BoardSide & HostSide & Omit<PublicSide, "server">): Server {
  const { definition, hostName, reach, audit, membership, links, firmware, log } = host;
  const access = new Access({
    ...{ swarm: definition.name, hostName, reach, audit },
    ...{ people: membership.roster, ciphers: membership.ciphers },
    vouched: (header, request) => links.vouched(header, request),
    now: () => performance.now(),
  });
  const door = { reach, access, audit };
  const answerAll = getRequestListener(createApi(host, door, log).fetch);
  const answerSet = createSetHandler(host.settings, door, log);
  const takeImage = createUploadHandler(firmware, door, log);
  const server = createWebServer(reach, log);
  server.on("request", (request, response) => {
    if (!answerSet(request, response) && !takeImage(request, response)) answerAll(request, response);
  });
  return server;
}
