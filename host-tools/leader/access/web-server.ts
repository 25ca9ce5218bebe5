/** The HTTP server behind a host's page and API: plain on loopback, HTTPS wherever it may be reached from elsewhere. */
import { createServer, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { Socket } from "node:net";
import type { TlsSecrets } from "../../security/member-file.ts";
import type { Log } from "../log.ts";
import type { Reach } from "./reach.ts";
import { tlsServerOptions } from "./tls.ts";

const limits = {
  connectionsMax: 512,
  /** For a whole request to arrive. */
  requestMs: 30_000,
  /** For the first byte of a connection. */
  firstByteMs: 5_000,
  handshakeMs: 5_000,
} as const;

/** Not listening yet. */
export function createWebServer({ tls }: Reach, log: Log): Server {
  const server = tls === undefined ? createServer({ requestTimeout: limits.requestMs }) : secured(tls, log);
  server.maxConnections = limits.connectionsMax;
  return server;
}

export function stopWebServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function secured(tls: TlsSecrets, log: Log): Server {
  const server = createSecureServer({
    ...tlsServerOptions(tls),
    requestTimeout: limits.requestMs,
    handshakeTimeout: limits.handshakeMs,
  });
  server.on("tlsClientError", (error) => log.debug("tls-refused", { reason: error.message }));
  // What TLS would do with a connection, once its first byte has shown that it is TLS.
  const takers = server.listeners("connection") as ((socket: Socket) => void)[];
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    socket.setTimeout(limits.firstByteMs, () => socket.destroy());
    socket.on("error", () => {});
    socket.once("data", (chunk: Buffer) => {
      socket.setTimeout(0);
      socket.pause();
      if (chunk[0] !== handshakeRecord) return endPlain(socket);
      socket.unshift(chunk);
      for (const take of takers) take.call(server, socket);
    });
  });
  return server;
}

/** ContentType of a TLS record that begins a connection (RFC 8446, section 5.1). */
const handshakeRecord = 22;

/** For whoever writes `http://` where `https://` was meant. */
function endPlain(socket: Socket): void {
  const text = JSON.stringify({
    error: { message: "This port speaks HTTPS: write https:// in the address.", code: "bad-request" },
  });
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\nconnection: close\r\n\r\n${text}`,
  );
}
