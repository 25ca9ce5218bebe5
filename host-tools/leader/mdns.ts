/**
 * A host tells the network where it is (mDNS and DNS-SD, RFC 6762 and 6763), so that boards find it whose contact says nothing of it, or something that is no
 * longer so. Everybody there may know: a board that comes has to prove who it is, and so has the host.
 */
import { createHash } from "node:crypto";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { mdnsLimits } from "../../protocols/mdns/message.ts";
import { serviceVersion } from "../../protocols/mdns/service.ts";
import type { Log } from "./log.ts";

export interface Announced {
  readonly swarm: string;
  readonly host: string;
  /** Of the broker for boards. */
  readonly port: number;
  /** Names or addresses of this computer's network interfaces; empty for all that lead out of it. */
  readonly interfaces: readonly string[];
  readonly log: Log;
}

/** This computer has no such network interface. */
export class NoSuchInterface extends Error {
  override readonly name = "NoSuchInterface";

  constructor(given: string) {
    const names = Object.keys(networkInterfaces()).join(", ");
    super(
      `This computer has no network interface ${given}; write one of ${names} after --mdns-interface, or an address of one.`,
    );
  }
}

/**
 * Where a host is to be found: undefined for nowhere.
 *
 * @param listen address at which it listens; undefined for loopback
 * @param asked what --mdns-interface says; undefined for nothing
 * @throws {NoSuchInterface}
 */
export function announcedOn(
  listen: string | undefined,
  asked: readonly string[] | undefined,
): readonly string[] | undefined {
  if (asked?.includes("none")) return undefined;
  if (asked !== undefined) {
    for (const each of asked) if (!isInterface(each)) throw new NoSuchInterface(each);
    return asked;
  }
  if (listen === undefined) return undefined;
  return wildcards.has(listen) ? [] : [listen];
}

/** From now on the host is to be found; what it gives ends that. A network that does not allow it is told in the log, and does no other harm. */
export async function announce({
  swarm,
  host,
  port,
  interfaces,
  log,
}: Announced): Promise<() => Promise<void>> {
  // It changes how errors are printed: loaded only where it is used.
  const { getResponder } = await import("@homebridge/ciao");
  const where = interfaces.length === 0 ? {} : { interface: [...interfaces] };
  const responder = getResponder({ excludeIpv6Only: true, disableIpv6: true, ...where });
  const service = responder.createService({
    ...{ name: label(`${swarm} ${host}`), type: "covey", port, disabledIpv6: true },
    hostname: label(`covey-${swarm}-${host}`),
    txt: { v: serviceVersion, swarm, host },
  });
  service.advertise().then(
    () => log.info("to-be-found", { by: "mdns", port, on: interfaces.join(",") || "all interfaces" }),
    (error: Error) => log.warn("not-to-be-found", { by: "mdns", reason: error.message }),
  );
  return () => responder.shutdown();
}

/** What makes two names differ may be at their end. */
function label(name: string): string {
  if (name.length <= mdnsLimits.labelBytesMax) return name;
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return `${name.slice(0, mdnsLimits.labelBytesMax - 9)}-${digest}`;
}

const wildcards: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

function isInterface(given: string): boolean {
  const all = networkInterfaces();
  if (isIP(given) === 0) return Object.hasOwn(all, given);
  return Object.values(all).some((each) => each?.some(({ address }) => address === given));
}
