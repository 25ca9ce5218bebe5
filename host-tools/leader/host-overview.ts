/** A host's status, put together from its parts. */
import type { SwarmDefinition } from "../swarm-file/definition.ts";
import type { Reach } from "./access/reach.ts";
import type { Alerts } from "./alerts/alerts.ts";
import type { Counters, Status } from "./api/types/status.ts";
import type { Broker } from "./broker/broker-types.ts";
import type { Checkpoints } from "./checkpoints/checkpoints.ts";
import type { SwarmContact } from "./contact/swarm-contact.ts";
import type { HostLinks } from "./hosts/host-links.ts";
import { shownRole } from "./hosts/peers.ts";
import type { KeepingRoom } from "./keeping/keeping-room.ts";
import type { SwarmMembers } from "./members/swarm-members.ts";
import type { Replica } from "./raft/replica.ts";
import type { Registers } from "./registers/registers.ts";
import type { AgreedSettings } from "./state/agreed-settings.ts";
import type { Telemetry } from "./telemetry/telemetry.ts";
import type { BoardSessions } from "./trust/board-sessions.ts";
import type { Violations } from "./violations.ts";

export interface OverviewParts {
  readonly definition: SwarmDefinition;
  readonly replica: Replica;
  readonly members: SwarmMembers;
  readonly settings: AgreedSettings;
  readonly registers: Registers;
  readonly contact: SwarmContact;
  readonly checkpoints: Checkpoints;
  /** undefined in a swarm without alerts. */
  readonly alerts: Alerts | undefined;
  readonly keeping: KeepingRoom;
  readonly telemetry: Telemetry;
  readonly broker: Broker;
  readonly sessions: BoardSessions;
  readonly links: HostLinks;
  readonly reach: Reach;
  readonly violations: Violations;
}

export class HostOverview {
  readonly #parts: OverviewParts;
  readonly #startedMs = performance.now();

  constructor(parts: OverviewParts) {
    this.#parts = parts;
  }

  status(isConfirmed: boolean): Status {
    const { definition, replica, members, broker, reach, alerts } = this.#parts;
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
      hosts: members.hosts(),
      boards: members.boards(),
      settings: this.#parts.settings.all(),
      ...(registers === undefined ? {} : { registers }),
      contact: this.#parts.contact.status,
      checkpoints: this.#parts.checkpoints.newest,
      ...(alerts === undefined ? {} : { alerts: firing(alerts) }),
      ...(kept === undefined ? {} : { keeping: kept }),
      counters: this.#counters(),
      violations: this.#parts.violations.sentences,
    };
  }

  #counters(): Counters {
    const { broker, sessions, telemetry, links } = this.#parts;
    const more = { sessions: { ...sessions.counters }, hosts: { ...links.traffic } };
    return { ...broker.counters, readingsStored: telemetry.stored, ...more };
  }
}

function firing(alerts: Alerts): NonNullable<Status["alerts"]> {
  return alerts.list().alerts.filter(({ phase }) => phase === "firing");
}
