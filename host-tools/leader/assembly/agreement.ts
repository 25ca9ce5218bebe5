/** What the swarm agrees on: this host's replica of the log, the state that comes of it, and what follows that state. */
import { join } from "node:path";
import { AuditRing } from "../access/audit-ring.ts";
import { Actions } from "../actions/actions.ts";
import { StatusFeed } from "../api/status-feed.ts";
import { Checkpoints } from "../checkpoints/checkpoints.ts";
import { Restoring } from "../checkpoints/restoring.ts";
import { Firmware } from "../images/firmware.ts";
import { Replica } from "../raft/replica.ts";
import { AgreedState } from "../state/agreed-state.ts";
import { Deployment } from "../state/deployment.ts";
import { OwnIdentityRevoked } from "../trust/membership.ts";
import { recallRoster } from "../trust/roster-file.ts";
import { rostersInLog } from "../trust/rosters-in-log.ts";
import type { Closing } from "./closing.ts";
import type { Ground } from "./ground.ts";
import type { HostParts } from "./host-parts.ts";

export interface Agreement {
  readonly state: AgreedState;
  readonly audit: AuditRing;
  readonly firmware: Firmware;
  readonly actions: Actions;
  readonly deployment: Deployment;
  readonly checkpoints: Checkpoints;
  readonly restoring: Restoring;
  readonly feed: StatusFeed;
  readonly replica: Replica;
}

/** @throws {OwnIdentityRevoked | DamagedLog | NewerLog | ForeignLog} */
export async function openAgreement(ground: Ground, host: HostParts, closing: Closing): Promise<Agreement> {
  const { definition, hostName, directory, membership, violations, log } = ground;
  const state = new AgreedState();
  const feed = new StatusFeed(() => host.overview.status(host.replica.isLeader));
  const onChange = () => feed.changed();
  const isLeader = () => host.replica.isLeader;
  const put: HostParts["proposals"]["put"] = (key, value, present) => host.proposals.put(key, value, present);
  const audit = new AuditRing({
    get: (key) => state.get(key),
    put: (key, text, present) => host.proposals.putByLeader(key, text, present),
    log,
    now: Date.now,
  });
  const firmware = await Firmware.open({
    ...{ definition, hostName, directory, state, violations, audit, log, put, onChange },
    ...{ root: membership.own.root, ciphers: membership.ciphers },
    before: (by) => checkpoints.beforeUpdate(by),
    send: (other, frame) => host.links.send(other, frame),
    broadcast: (frame) => host.links.broadcast(frame),
  });
  closing.add(() => firmware.stop());
  const actions = new Actions({
    ...{ definition, state, audit, log, isLeader, put, onChange },
    ...{ now: Date.now, monotonic: () => performance.now() },
    isConnected: (board) => host.boards.heardOf(board).isConnected,
  });
  closing.add(() => actions.stop());
  const deployment = new Deployment(definition, state, log, () =>
    checkpoints.beforehand("deploy", "swarm.ts"),
  );
  const checkpoints = new Checkpoints({
    ...{ swarm: definition.name, hostName, directory, state, log, now: Date.now, isLeader, put },
    peers: () => host.leadership.peerHosts(membership.own.identity),
  });
  closing.add(() => checkpoints.stop());
  const restoring = new Restoring({
    ...{ definition, state, checkpoints, now: Date.now },
    putAll: (puts) => host.proposals.putAll(puts),
    putDraft: (puts, progress) => host.proposals.putDraft(puts, progress),
  });
  const agreed = { state, audit, firmware, actions, deployment, checkpoints, restoring, feed };
  const replica = openReplica(ground, agreed, host);
  closing.add(() => replica.stop());
  if (replica.tornBytes > 0) log.warn("log-torn-write", { bytesCut: replica.tornBytes });
  // Before anybody can connect.
  recallRoster(membership, directory, log, rostersInLog(replica));
  if (membership.isRevoked) throw new OwnIdentityRevoked(hostName, membership.roster.epoch);
  return { ...agreed, replica };
}

function openReplica(
  { options, definition, hostName, directory, violations }: Ground,
  { state, firmware, actions, deployment, checkpoints, feed }: Omit<Agreement, "replica">,
  host: HostParts,
): Replica {
  return Replica.open({
    directory: join(directory, "raft"),
    hostName,
    hostNames: definition.hosts,
    // Of several hosts the first asks the others first.
    mayFound: definition.hosts.length === 1,
    send: (message) => host.routes.send(message),
    publish: (publication) => host.routes.publish(publication),
    onApplied: (entries) => {
      state.apply(entries);
      host.roster.stateChanged();
      firmware.stateChanged();
      actions.stateChanged();
      checkpoints.settle();
      deployment.committed(entries, host.replica);
      host.alerts?.applied();
      feed.changed();
    },
    onRestored: (restored) => {
      state.restore(restored, host.replica.status().appliedIndex);
      host.roster.stateChanged();
      firmware.stateChanged();
      host.alerts?.applied();
      actions.stateChanged();
      checkpoints.restored();
      feed.changed();
    },
    onViolation: (sentence) => violations.add(sentence),
    onFailure: (error) => options.onFailure(error),
  });
}
