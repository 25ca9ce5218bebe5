/**
 * What TLS takes of a board: the engine's heap, chunks and slots apart, through handshakes and traffic, by itself and with the whole board.
 *
 * An engine of 32 bits has the chip's slots of 16 bytes, and one with mxStress collects before every allocation when it is told to, so that a peak
 * is what was needed: `CC="gcc -m32 -msse2 -mfpmath=sse -DmxStress=1"`, with a GLib of 32 bits. docs/decisions/tls-on-boards.md has the figures.
 */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import type { ModdableSdk } from "../../../../../host-tools/builder/moddable.ts";
import { makeAuthority, makeHostCertificate } from "../../../../../host-tools/keys/authority.ts";
import { writeLinValues } from "../../../../../host-tools/provisioner/lin-values.ts";
import { TestRoot } from "../../../../members.ts";
import { Authority as RsaAuthority } from "./authority.ts";
import { sentence, toldIn } from "./heap-told.ts";
import { givenValues } from "./key-values.ts";
import { compileRunner, LinProcess } from "./lin-process.ts";
import { buildProbe, probeName } from "./probe-image.ts";
import type { Seen } from "./prove.ts";
import { proveWholeTlsHeap } from "./tls-heap-whole.ts";

interface Connection {
  readonly name: string;
  readonly port: number;
  /** undefined: without TLS */
  readonly authorityHex?: string;
  /** Garbage is collected before every allocation. */
  readonly always: boolean;
}

const suites = {
  ec: ["ECDHE-ECDSA-AES128-GCM-SHA256"],
  rsa: ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA256", "AES128-SHA256"],
} as const;

export async function proveTlsHeap(sdk: ModdableSdk, folder: string, seen: Seen): Promise<void> {
  await proveConnections(sdk, join(folder, "connections"), seen);
  await proveWholeTlsHeap(sdk, join(folder, "whole"), seen);
}

async function proveConnections(sdk: ModdableSdk, folder: string, seen: Seen): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const ec = makeAuthority(probeName, Date.now());
  const host = makeHostCertificate(ec, "main", [], Date.now());
  const rsa = new RsaAuthority(folder, "rsa");
  const ecServer = { key: host.privateKey, cert: host.certificates };
  const servers = new Map<string, { server: Server; authority?: Uint8Array }>();
  servers.set("plain", { server: createTcpServer(echo) });
  for (const ciphers of suites.ec)
    servers.set(ciphers, { server: tlsServer(ecServer, ciphers), authority: ec.certificate });
  for (const ciphers of suites.rsa)
    servers.set(ciphers, { server: tlsServer(rsa.server, ciphers), authority: rsa.certificateDer });
  const connections: Connection[] = [];
  for (const [name, { server, authority }] of servers) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const trusted = authority && { authorityHex: Buffer.from(authority).toString("hex") };
    connections.push({ name, port, ...trusted, always: false });
  }
  const strict = connections.map((each) => ({ ...each, name: `${each.name}, no garbage`, always: true }));
  seen(
    `certificates in bytes: EC ${host.certificates
      .split(/(?=-----BEGIN)/)
      .map((pem) => new X509Certificate(pem).raw.length)
      .join(" + ")}, RSA ${rsa.certificateDer.length} (authority)`,
  );
  let board: LinProcess | undefined;
  try {
    const program = await buildProbe(sdk, folder, {
      program: "tls-heap-probe.js",
      given: { connections: [...connections, ...strict] },
      tls: true,
      natives: ["heap-figures"],
    });
    seen("built for lin with TLS");
    const flash = join(folder, "flash");
    writeLinValues(flash, givenValues(new TestRoot(probeName).issue("board", probeName)));
    board = new LinProcess(compileRunner(sdk.folder, folder), program, flash);
    const canCollectAlways = (await board.until("collects always: ")).endsWith("true");
    await board.until("all done");
    for (const line of board.lines) assert(!line.startsWith("failed"), line);
    for (const [name, figures] of toldIn(board.lines))
      if (canCollectAlways || !name.includes("no garbage")) seen(`${name}: ${sentence(figures)}`);
  } finally {
    await board?.kill();
    for (const { server } of servers.values()) server.close();
  }
}

function tlsServer(certificate: { key: string; cert: string }, ciphers: string): Server {
  const server = createTlsServer({ ...certificate, ciphers, maxVersion: "TLSv1.2" }, echo);
  server.on("tlsClientError", () => {});
  return server;
}

function echo(socket: Socket): void {
  socket.on("error", () => {});
  socket.on("data", (bytes) => socket.write(bytes));
}
