/** What the HTTP interface needs from the host: its rooms, each of which answers what its routes ask. */
import type { AuditRing } from "../access/audit-ring.ts";
import type { Actions } from "../actions/actions.ts";
import type { Alerts } from "../alerts/alerts.ts";
import type { Checkpoints } from "../checkpoints/checkpoints.ts";
import type { Restoring } from "../checkpoints/restoring.ts";
import type { SwarmContact } from "../contact/swarm-contact.ts";
import type { HostOverview } from "../host-overview.ts";
import type { Leadership } from "../hosts/leadership.ts";
import type { Firmware } from "../images/firmware.ts";
import type { KeepingRoom } from "../keeping/keeping-room.ts";
import type { SwarmMembers } from "../members/swarm-members.ts";
import type { Queries } from "../queries/queries.ts";
import type { Replica } from "../raft/replica.ts";
import type { Registers } from "../registers/registers.ts";
import type { AgreedSettings } from "../state/agreed-settings.ts";
import type { Tasks } from "../tasks/tasks.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { AgreedRoster } from "../trust/agreed-roster.ts";
import type { StatusFeed } from "./status-feed.ts";

export interface HostView {
  readonly leadership: Pick<Leadership, "leader" | "confirm" | "demand">;
  readonly replica: Pick<Replica, "status" | "entries" | "newCommandId">;
  readonly overview: Pick<HostOverview, "status">;
  readonly feed: StatusFeed;
  readonly settings: Pick<AgreedSettings, "all" | "set">;
  readonly registers: Pick<
    Registers,
    "status" | "statusOf" | "changes" | "read" | "change" | "recover" | "demandNone"
  >;
  readonly members: Pick<SwarmMembers, "list" | "boards" | "changeVoters" | "transfer">;
  readonly roster: Pick<AgreedRoster, "epoch" | "take">;
  readonly contact: Pick<SwarmContact, "agreed" | "take">;
  readonly checkpoints: Pick<Checkpoints, "listing" | "list" | "create" | "delete" | "copies" | "copy">;
  readonly restoring: Pick<Restoring, "compare" | "restore" | "underWay">;
  readonly firmware: Pick<Firmware, "listing" | "proposals">;
  readonly actions: Pick<Actions, "list" | "begin" | "forget">;
  readonly tasks: Pick<Tasks, "status" | "change" | "hold">;
  readonly keeping: Pick<KeepingRoom, "status" | "restore" | "readings" | "acceptLoss">;
  /** undefined in a swarm without alerts. */
  readonly alerts: Pick<Alerts, "list" | "acknowledge" | "test"> | undefined;
  readonly queries: Pick<Queries, "run">;
  readonly telemetry: Pick<Telemetry, "newest" | "pages">;
  readonly audit: Pick<AuditRing, "entries">;
}
