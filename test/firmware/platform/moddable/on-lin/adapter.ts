/** The parts of the adapter that the board does not use yet, in a program of their own on `lin`: TLS, UDP, key-value. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import type { ModdableSdk } from "../../../../../host-tools/builder/moddable.ts";
import { writeLinValues } from "../../../../../host-tools/provisioner/lin-values.ts";
import { TestRoot } from "../../../../members.ts";
import { reservedPort } from "../../../../reserved-port.ts";
import { Authority } from "./authority.ts";
import { givenValues } from "./key-values.ts";
import { compileRunner, LinProcess } from "./lin-process.ts";
import { buildProbe, probeName } from "./probe-image.ts";
import type { Seen } from "./prove.ts";

/** The ends that a TLS connection of the probe meets, and what it must say of each, in order. */
const tlsEnds = {
  "its-own-authority": ["open", "data echo of hello", "close: the other side closed the connection"],
  "another-authority": ["close: the TLS handshake failed: TLS: certificate: auth err"],
  "tls-1.3-only": ["close: the TLS handshake failed: TLS: alert: 2, 70"],
  "no-tls": ["close: the TLS handshake failed"],
} as const;

export async function proveAdapter(sdk: ModdableSdk, folder: string, seen: Seen): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const own = new Authority(folder, "own");
  const servers = await openServers(own, new Authority(folder, "other"));
  const echo = createSocket("udp4", (bytes, { address, port }) =>
    echo.send(`echo of ${bytes}`, port, address),
  );
  echo.bind(0, "127.0.0.1");
  await once(echo, "listening");
  const ports = Object.fromEntries(
    Object.entries(servers).map(([name, server]) => [name, (server.address() as { port: number }).port]),
  );
  const lanPort = await reservedPort();
  let board: LinProcess | undefined;
  try {
    const program = await buildProbe(sdk, folder, {
      program: "probe.js",
      given: {
        authorityDer: [...own.certificateDer],
        tlsPorts: ports,
        udpPort: echo.address().port,
        lanPort,
      },
      tls: true,
    });
    seen("built for lin with TLS, with no warning of the linker");
    const runner = compileRunner(sdk.folder, folder);
    writeLinValues(join(folder, "flash"), givenValues(new TestRoot(probeName).issue("board", probeName)));
    for (const starts of [1, 2]) {
      board = new LinProcess(runner, program, join(folder, "flash"));
      await board.until(`kv: start ${starts}`);
      await board.until(`keeping: in sector 1 of 64, blocks ${starts === 1 ? "1" : "1 2"}`);
      await board.until("slot: 262144 bytes, on trial false, running 32 bytes");
      await board.until("slot: Error: no image to start");
      await board.until("slot: selected 2");
      if (starts === 1) await board.kill();
    }
    seen("a block is kept in a partition of its own, and outlives a power cut");
    seen("the update slot is erased, written and selected, and not without an image");
    seen("a key-value pair outlives a power cut");
    await board!.until("lan: open");
    await board!.until("udp: echo of ping from 127.0.0.1");
    seen("a datagram goes out and another comes in");
    echo.send("hello", lanPort, "127.0.0.1");
    await board!.until("lan: hello from 127.0.0.1");
    seen("a board hears what another sends to its port, where there are no groups");
    for (const [name, says] of Object.entries(tlsEnds)) {
      for (const what of says) seen(await board!.until(`tls ${name}: ${what}`));
    }
    await board!.until("all done");
    assert(!board!.lines.some((line) => line.includes("abort")), board!.lines.join("\n"));
  } finally {
    await board?.kill();
    echo.close();
    for (const server of Object.values(servers)) server.close();
  }
}

async function openServers(own: Authority, other: Authority): Promise<Record<keyof typeof tlsEnds, Server>> {
  const servers = {
    "its-own-authority": tlsServer({ ...own.server, maxVersion: "TLSv1.2" }),
    "another-authority": tlsServer({ ...other.server, maxVersion: "TLSv1.2" }),
    "tls-1.3-only": tlsServer({ ...own.server, minVersion: "TLSv1.3" }),
    // A record of a kind that there is not, and long enough to be one.
    "no-tls": createTcpServer((socket) => socket.on("data", () => socket.write("no TLS ".repeat(6000)))),
  };
  for (const server of Object.values(servers)) {
    server.on("connection", (socket: Socket) => socket.on("error", () => {}));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
  return servers;
}

/** Answers once, then closes the connection. */
function tlsServer(options: TlsOptions): Server {
  const server = createTlsServer(options, (socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => socket.end(`echo of ${bytes}`));
  });
  // A board that does not trust this server breaks off; that is its part of the proof.
  server.on("tlsClientError", () => {});
  return server;
}
