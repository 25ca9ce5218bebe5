/** The board's own MQTT session over a real socket, with what arrives kept for the test. */
import { connect, type Socket } from "node:net";
import { type MqttEvents, MqttSession } from "../../../protocols/mqtt/session.ts";

export interface Arrival {
  readonly topic: string;
  readonly text: string;
}

export class BoardClient implements MqttEvents {
  readonly arrivals: Arrival[] = [];
  readonly #socket: Socket;
  readonly #session: MqttSession;
  readonly #ready: Promise<void>;
  #resolveReady!: () => void;
  #rejectReady!: (error: Error) => void;

  constructor(port: number, clientId: string, filter: string) {
    this.#ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve;
      this.#rejectReady = reject;
    });
    const will = { topic: `covey/test/up/${clientId}/gone`, payload: new TextEncoder().encode(clientId) };
    const credentials = { userName: clientId, password: new Uint8Array(300).fill(1) };
    const bounds = { keepaliveSeconds: 15, packetBytesMax: 4096, answerTimeoutMs: 5_000 };
    this.#session = new MqttSession({ clientId, filters: [filter], will, ...credentials, ...bounds }, this);
    this.#socket = connect(port, "127.0.0.1", () => this.#session.open(performance.now()));
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (bytes) => this.#session.receive(bytes, performance.now()));
    this.#socket.on("error", (error) => this.#rejectReady(error));
  }

  /** Connected and subscribed. */
  get ready(): Promise<void> {
    return this.#ready;
  }

  publish(topic: string, text: string): boolean {
    return this.#session.publish(topic, new TextEncoder().encode(text), performance.now());
  }

  /** Waits until `count` messages have arrived. */
  async until(count: number): Promise<readonly Arrival[]> {
    const deadlineMs = performance.now() + 10_000;
    while (this.arrivals.length < count) {
      if (performance.now() > deadlineMs) throw new Error(`${this.arrivals.length} of ${count} have arrived`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return this.arrivals;
  }

  /** The cable is pulled: no farewell. */
  vanish(): void {
    this.#session.abandon();
    this.#socket.resetAndDestroy();
  }

  send(bytes: Uint8Array): boolean {
    this.#socket.write(Uint8Array.from(bytes)); // the session reuses its buffer
    return true;
  }

  onReady(): void {
    this.#resolveReady();
  }

  onMessage(topic: string, payload: Uint8Array): void {
    this.arrivals.push({ topic, text: new TextDecoder().decode(payload) });
  }

  onFailure(error: Error): void {
    this.#rejectReady(error);
  }
}
