/** Links of hosts on real sockets, and what may be between them, for tests. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { encodeCbor } from "../../../../host-tools/codec/cbor.ts";
import { FrameReader, frameOf } from "../../../../host-tools/leader/hosts/frame-reader.ts";
import type { HostFrame } from "../../../../host-tools/leader/hosts/host-frames.ts";
import { HostLinks, type PeerAddress } from "../../../../host-tools/leader/hosts/host-links.ts";
import { SecureStream } from "../../../../host-tools/leader/hosts/secure-stream.ts";
import { portOf } from "../../../../host-tools/leader/listen.ts";
import { createLog } from "../../../../host-tools/leader/log.ts";
import type { MemberSecrets } from "../../../../host-tools/security/member-file.ts";
import { nodeCiphers } from "../../../../host-tools/security/node-ciphers.ts";
import type { CborValue } from "../../../../protocols/cbor/value.ts";
import { Roster } from "../../../../protocols/security/identity/roster.ts";
import { TestRoot } from "../../../members.ts";
import { reservedPort } from "../../../reserved-port.ts";
import { eventually } from "../leader-under-test.ts";

export const root = new TestRoot("greenhouse");

export interface LinkedHost {
  readonly member: MemberSecrets;
  readonly roster: Roster;
  readonly links: HostLinks;
  readonly frames: { readonly from: string; readonly frame: HostFrame }[];
  readonly events: string[];
  readonly logged: string[];
  /** Who was refused what. */
  readonly audited: string[];
}

export interface LinkedHostOptions {
  readonly member?: MemberSecrets;
  readonly port?: number;
  readonly recordsMax?: number;
}

/** One of the hosts a, b and c, with the ports of those that it knows. */
export async function host(
  name: string,
  peers: Record<string, number> = {},
  { member = root.issue("host", name), port, recordsMax }: LinkedHostOptions = {},
): Promise<LinkedHost> {
  const frames: LinkedHost["frames"] = [];
  const events: string[] = [];
  const logged: string[] = [];
  const audited: string[] = [];
  const addresses = new Map<string, PeerAddress>(
    Object.entries(peers).map(([peer, at]) => [peer, { address: "127.0.0.1", port: at }]),
  );
  const roster = new Roster(nodeCiphers, root.keys.publicKey, "greenhouse", 16);
  const links = new HostLinks({
    ...{ member, roster, recordsMax, port: port ?? (await reservedPort()) },
    audit: { refused: (who, what) => audited.push(`${who}: ${what}`) },
    hostNames: ["a", "b", "c"],
    peers: addresses,
    listenAddress: "127.0.0.1",
    log: createLog("debug", (line) => logged.push(line)),
    hello: () => ({ hasLog: false, url: `http://127.0.0.1/${name}` }),
    onUp: (peer) => events.push(`up ${peer.host}`),
    onDown: (peer) => events.push(`down ${peer}`),
    onFrame: (from, frame) => frames.push({ from, frame }),
  });
  await links.start();
  onTestFinished(() => links.stop());
  return { member, roster, links, frames, events, logged, audited };
}

export const up = (one: LinkedHost, other: LinkedHost): Promise<boolean> => {
  const [a, b] = [one, other].map(({ member }) => member.identity.name);
  return eventually(() => one.links.isUp(b!) && other.links.isUp(a!));
};

/** Somebody who connects, sends bytes, and reads what comes. */
export function stranger(port: number): Socket {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  return socket.on("error", () => {}).resume();
}

export function framed(value: CborValue): Buffer {
  return frameOf(encodeCbor(value));
}

export interface RawPeer {
  readonly socket: Socket;
  readonly stream: SecureStream;
  /** Payloads of the frames that came. */
  readonly received: Buffer[];
  /** Resolves when its session is up; never if it comes to nothing. */
  readonly isUp: Promise<void>;
  readonly ended: Promise<unknown>;
}

/** Whoever `own` is: makes its handshake with a host as it is done, and sends what it likes after. */
export function rawPeer(port: number, own: MemberSecrets): RawPeer {
  const socket = stranger(port);
  const received: Buffer[] = [];
  const reader = new FrameReader(2 ** 20, (payload) => received.push(payload));
  const ended = once(socket, "close");
  let setUp = () => {};
  const isUp = new Promise<void>((resolve) => {
    setUp = resolve;
  });
  const stream = new SecureStream(socket, true, {
    ...{ ciphers: nodeCiphers, own, traffic: { bytesIn: 0, bytesOut: 0 } },
    roster: new Roster(nodeCiphers, root.keys.publicKey, "greenhouse", 16),
    admits: () => true,
    onUp: setUp,
    onBytes: (bytes) => reader.push(bytes),
    onFailure: () => socket.destroy(),
  });
  return { socket, stream, received, isUp, ended };
}

/** What somebody in between does with a frame of either direction: what goes on in its stead. */
export type Tamper = (direction: "there" | "back", frame: Buffer) => Buffer[];

/** Forwards connections to `port`, frame by frame, as `tamper` wants it. Gives its own port. */
export async function between(port: () => number, tamper: Tamper): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port(), "127.0.0.1");
    const pass = (from: Socket, to: Socket, direction: "there" | "back") => {
      sockets.add(from);
      const reader = new FrameReader(2 ** 20, (frame) => {
        for (const each of tamper(direction, frame)) to.write(frameOf(each));
      });
      from.on("data", (chunk) => reader.push(chunk));
      from.on("error", () => {});
      from.on("close", () => to.destroy());
    };
    pass(near, far, "there");
    pass(far, near, "back");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return portOf(server);
}
