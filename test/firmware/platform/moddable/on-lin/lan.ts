/** A board on `lin` and two in Node speak to each other: the handshakes both ways on the SDK's ciphers and sockets, and what follows. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { join } from "node:path";
import { BoardLog } from "../../../../../firmware/board/board-log.ts";
import { Trust } from "../../../../../firmware/board/trust.ts";
import { Lan } from "../../../../../firmware/lan/lan.ts";
import type { Network, System, UdpEvents } from "../../../../../firmware/platform/ports.ts";
import type { ModdableSdk } from "../../../../../host-tools/builder/moddable.ts";
import { writeLinValues } from "../../../../../host-tools/provisioner/lin-values.ts";
import { nodeCiphers } from "../../../../../host-tools/security/node-ciphers.ts";
import { lanGroup } from "../../../../../protocols/lan/datagrams.ts";
import { TestRoot } from "../../../../members.ts";
import { reservedPort } from "../../../../reserved-port.ts";
import { givenValues } from "./key-values.ts";
import { compileRunner, LinProcess } from "./lin-process.ts";
import { buildProbe, probeName } from "./probe-image.ts";
import type { Seen } from "./prove.ts";

/** One begins with the board, which begins with the other. */
const names = ["a-node", probeName, "z-node"];

export async function proveLan(sdk: ModdableSdk, folder: string, seen: Seen): Promise<void> {
  const root = new TestRoot(probeName);
  const own = await reservedPort();
  const nodes = [await LanNode.open(root, "a-node"), await LanNode.open(root, "z-node")];
  for (const node of nodes)
    node.start([own, ...nodes.filter((each) => each !== node).map(({ port }) => port)]);
  let board: LinProcess | undefined;
  try {
    const given = { names, own, others: nodes.map(({ port }) => port) };
    const program = await buildProbe(sdk, folder, { program: "lan-probe.js", given, tls: false });
    seen("built for lin, with no warning of the linker");
    const flash = join(folder, "flash");
    writeLinValues(flash, givenValues(root.issue("board", probeName)));
    const runner = compileRunner(sdk.folder, folder);
    for (const start of [1, 2]) {
      board = new LinProcess(runner, program, flash);
      for (const [i, node] of nodes.entries()) {
        const text = `${node.name} ${start}`;
        // Said again and again: at first there is no session, and after the power cut none that the board knows.
        const isAnswered = () => {
          node.lan.send(probeName, Buffer.from(text));
          return node.heard.includes(`${text} from ${probeName}`);
        };
        await node.until(`an answer to ${node.name}`, isAnswered, 60_000);
        await board.until(`lan: ${text} from ${node.name}`);
        const who = i === 0 ? "begun by the other" : "begun by the board";
        seen(
          `a session ${who}, a message there and back${start === 2 ? ", once more after a power cut" : ""}`,
        );
      }
      await board.kill();
      board = undefined;
    }
  } finally {
    await board?.kill();
    for (const node of nodes) node.close();
  }
}

/** A board of the group that is not on lin: the same code on Node's sockets and ciphers. */
class LanNode {
  readonly name: string;
  readonly lan: Lan;
  readonly heard: string[] = [];
  readonly #socket = createSocket("udp4");
  #others: readonly number[] = [];
  #timer: NodeJS.Timeout | undefined;

  static async open(root: TestRoot, name: string): Promise<LanNode> {
    const node = new LanNode(root, name);
    node.#socket.bind(0, "127.0.0.1");
    await once(node.#socket, "listening");
    return node;
  }

  private constructor(root: TestRoot, name: string) {
    this.name = name;
    const { signed, privateKey } = root.issue("board", name);
    const credentials = { root: root.keys.publicKey, signed, privateKey };
    const config = { swarm: probeName, board: name, model: "", hosts: [], credentials };
    const log = new BoardLog({ log: () => {} } as unknown as System);
    const trust = new Trust(nodeCiphers, config, "all", log);
    const network = { openUdp: (_: number, events: UdpEvents) => this.#open(events) } as unknown as Network;
    this.lan = new Lan(
      {
        clock: { nowMs: now, setTimer: () => ({ cancel: () => {} }) },
        random: { fill: (into) => nodeCiphers.random(into) },
        ...{ network, trust, log, swarm: probeName },
        turns: { begin: () => true, fail: () => {}, end: () => this.#run() },
      },
      { onLanMessage: (from, bytes) => void this.heard.push(`${Buffer.from(bytes)} from ${from}`) },
    );
  }

  get port(): number {
    return this.#socket.address().port;
  }

  start(others: readonly number[]): void {
    this.#others = others;
    this.lan.setPeers(names);
    this.lan.keepAlive(true);
    this.lan.onNetworkChange(true);
    this.#timer = setInterval(() => this.#run(), 10);
  }

  async until(what: string, holds: () => boolean, forMs: number): Promise<void> {
    for (const endMs = now() + forMs; !holds(); ) {
      assert(now() < endMs, `${what}: not within ${forMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#socket.close();
  }

  #run(): void {
    if (now() >= this.lan.dueMs) this.lan.run(now());
  }

  #open(events: UdpEvents) {
    this.#socket.on("message", (bytes, { address, port }) =>
      events.onData(bytes, `${address}:${port}`, port),
    );
    return {
      send: (to: string, _: number, bytes: Uint8Array) => {
        const ports = to === lanGroup ? this.#others : [Number(to.slice(to.indexOf(":") + 1))];
        for (const port of ports) this.#socket.send(Uint8Array.from(bytes), port, "127.0.0.1", () => {});
      },
      close: () => {},
    };
  }
}

function now(): number {
  return Math.floor(performance.now());
}
