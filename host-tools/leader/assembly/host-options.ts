/** What a host is started with. */
import type { MemberSecrets } from "../../security/member-file.ts";
import type { SwarmDefinition } from "../../swarm-file/definition.ts";
import type { ReachOptions } from "../access/reach.ts";
import type { PeerAddress } from "../hosts/host-links.ts";
import type { Log } from "../log.ts";
import type { Retention } from "../telemetry/telemetry.ts";

export interface HostOptions {
  readonly definition: SwarmDefinition;
  /** `.covey/<swarm>`; made if need be. */
  readonly stateDir: string;
  /** One of `definition.hosts`. */
  readonly hostName: string;
  /** Its identity, and the root that everybody's is signed by. */
  readonly member: MemberSecrets;
  /** For the boards; 0 for any free one. */
  readonly mqttPort: number;
  /** 0 for any free one. */
  readonly httpPort: number;
  /** For the other hosts; 0 for any free one. */
  readonly peerPort: number;
  /** From where it may be reached; from this computer alone if not said. */
  readonly reach?: ReachOptions | undefined;
  /** Network interfaces on which it tells boards by mDNS where it is; empty for all, undefined for none: `announcedOn`. */
  readonly mdns?: readonly string[] | undefined;
  /** Where other hosts listen for this one. */
  readonly peers: ReadonlyMap<string, PeerAddress>;
  readonly log: Log;
  /** Signs what webhooks are told; they are told without a signature where there is none. */
  readonly webhookSecret?: Uint8Array | undefined;
  readonly retention?: Partial<Retention> | undefined;
  /** The disk refused the Raft log, or the root revoked this host (`OwnIdentityRevoked`): stop it, it is of no more use. */
  onFailure(error: Error): void;
}
