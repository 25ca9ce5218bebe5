/**
 * TLS over a TCP connection, by the SDK's own TLS 1.2 (`ssl/session`).
 *
 * The SDK's `embedded:io/socket/tcp/tls` is not used: there, what the session throws (an authority that is not trusted, a
 * chain that does not verify, a server that has only TLS 1.3) comes out of a socket's callback, which ends the machine
 * ("XS abort"), and no `onError` is called. Here every entry into the session is guarded, and a failure closes the
 * connection with its reason.
 */
import type { TlsSession, TlsSessionClass, TlsTransport } from "board-tls";
import type { TcpConnection, TcpEvents, TlsOptions } from "../ports.ts";
import { setClockBy } from "./certificate-time.ts";
import { SocketConnection } from "./tcp.ts";
import type { Traffic } from "./traffic.ts";

/** TLS 1.2, the only version that the SDK has. */
const protocolVersion = 0x303;
/** The session waits for bytes of the other side. */
const waiting = -1;

export class SecureConnection implements TcpConnection {
  readonly #events: TcpEvents;
  readonly #session: TlsSession;
  readonly #socket: SocketConnection;
  readonly #transport: SessionTransport;
  #isReady = false;
  #isClosed = false;

  /**
   * An authority of one's own must be in the chain that the server sends, and name its own key (authorityKeyIdentifier): the SDK looks for
   * it there, by that. Certificates are checked against the clock, which is set to where the authority's begins.
   */
  constructor(
    Session: TlsSessionClass,
    address: { readonly host: string; readonly port: number },
    tls: TlsOptions,
    events: TcpEvents,
    traffic: Traffic,
  ) {
    this.#events = events;
    this.#session = new Session({
      serverName: address.host,
      protocolVersion,
      // Sessions are not resumed: the SDK's cache would be a table of secrets that every board of the image shares.
      cache: false,
      ...(tls.authority === undefined ? {} : { certificate: tls.authority }),
    });
    this.#session.initiateHandshake();
    this.#socket = new SocketConnection(
      address.host,
      address.port,
      {
        onOpen: () =>
          this.guard(() => {
            if (tls.authority !== undefined) setClockBy(tls.authority);
            this.shakeHands();
          }),
        onData: (bytes) => this.guard(() => this.receive(bytes)),
        onClose: (reason) => this.fail(reason),
      },
      traffic,
    );
    this.#transport = new SessionTransport(this.#socket);
  }

  /** A record that was made must be sent, because the next one counts it; so room is asked for before. */
  write(bytes: Uint8Array): boolean {
    if (!this.#isReady || this.#isClosed || !this.#socket.hasRoom) return false;
    this.guard(() => this.#session.write(this.#transport, bytes));
    return !this.#isClosed;
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.close();
  }

  private receive(bytes: Uint8Array): void {
    this.#transport.add(bytes);
    if (!this.#isReady) this.shakeHands();
    while (this.#isReady && !this.#isClosed) {
      const data = this.#session.read(this.#transport);
      if (data === undefined) return;
      if (data === null) this.fail("the other side closed the connection");
      else if (data.length > 0) this.#events.onData(data);
    }
  }

  /** Lets the session go on until it is done or can't without more bytes. */
  private shakeHands(): void {
    for (;;) {
      const { handshakeProcess } = this.#session;
      const { readable } = this.#transport;
      const isDone = this.#session.handshake(this.#transport);
      const { alert } = this.#session;
      if (alert !== undefined) throw new Error(`alert ${alert.description}`);
      if (isDone) break;
      if (handshakeProcess === waiting && this.#transport.readable === readable) return;
    }
    this.#isReady = true;
    this.#events.onOpen();
  }

  private guard(act: () => void): void {
    if (this.#isClosed) return;
    try {
      act();
    } catch (error) {
      this.fail(this.#isReady ? `TLS: ${error}` : `the TLS handshake failed: ${error}`);
    }
  }

  private fail(reason: string): void {
    if (this.#isClosed) return;
    this.close();
    this.#events.onClose(reason);
  }
}

/** The socket as the session uses it. */
class SessionTransport implements TlsTransport {
  readable = 0;
  /** The session reports it and decides nothing by it. */
  writable = 0;
  readonly #socket: SocketConnection;
  #received = new Uint8Array(0);
  #position = 0;

  constructor(socket: SocketConnection) {
    this.#socket = socket;
  }

  /** What the session has not read yet is kept; it reads whole records, so that is less than one. */
  add(bytes: Uint8Array): void {
    const left = this.#received.subarray(this.#position);
    const joined = new Uint8Array(left.length + bytes.length);
    joined.set(left);
    joined.set(bytes, left.length);
    this.#received = joined;
    this.#position = 0;
    this.readable = joined.length;
  }

  /** The session itself takes what it read off `readable`. */
  read(into: Uint8Array): void {
    into.set(this.#received.subarray(this.#position, this.#position + into.length));
    this.#position += into.length;
  }

  write(record: Uint8Array | ArrayBuffer): number {
    const bytes = record instanceof Uint8Array ? record : new Uint8Array(record);
    if (!this.#socket.write(bytes)) throw new Error("the connection has no room for a handshake");
    return 0;
  }
}
