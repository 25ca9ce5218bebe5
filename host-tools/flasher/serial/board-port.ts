/**
 * A board's port in the shape of Web Serial's `SerialPort`, which is what esptool-js speaks to, over any `Wire`.
 *
 * It also keeps the last of what the board said, which tells a board that started its program from one that is silent, and counts bytes.
 */
import { PortLost } from "../problems.ts";
import { openWire } from "./open-wire.ts";
import type { Wire } from "./wire.ts";

export class BoardPort {
  /** As the user names it. */
  readonly name: string;
  readable: ReadableStream<Uint8Array> | null = null;
  writable: WritableStream<Uint8Array> | null = null;
  bytesOut = 0;
  bytesIn = 0;
  #wire: Wire | undefined;
  #heard: Uint8Array = new Uint8Array(0);
  #loss: PortLost | undefined;
  readonly #whenLost = new Set<(loss: PortLost) => void>();

  readonly #signal: AbortSignal | undefined;

  /**
   * @param name a device, `rfc2217://host:port` or `socket://host:port`
   * @param signal ends what is under way, as if the port had gone away
   */
  constructor(name: string, signal?: AbortSignal) {
    this.name = name;
    this.#signal = signal;
    signal?.addEventListener("abort", () => this.#lose("interrupted"), { once: true });
  }

  get isInterrupted(): boolean {
    return this.#signal?.aborted === true;
  }

  get hasBaud(): boolean {
    return this.#wire?.hasBaud ?? false;
  }

  get hasLines(): boolean {
    return this.#wire?.hasLines ?? false;
  }

  /** Why the port went away, when it did. */
  get loss(): PortLost | undefined {
    return this.#loss;
  }

  /** The end of what the board said, byte for character. */
  get heard(): string {
    return Buffer.from(this.#heard).toString("latin1");
  }

  forgetHeard(): void {
    this.#heard = new Uint8Array(0);
  }

  getInfo(): { usbVendorId?: number; usbProductId?: number } {
    const usb = this.#wire?.usb;
    return usb === undefined ? {} : { usbVendorId: usb.vendorId, usbProductId: usb.productId };
  }

  /** @throws {FlashProblem} what keeps the port from being opened */
  async open({ baudRate }: { readonly baudRate: number }): Promise<void> {
    await this.close();
    if (this.isInterrupted) throw new PortLost("interrupted");
    this.#loss = undefined;
    this.forgetHeard();
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
    this.readable = new ReadableStream({
      start: (given) => {
        controller = given;
      },
    });
    const wire = await openWire(this.name, baudRate, {
      data: (bytes) => {
        this.bytesIn += bytes.length;
        this.#heard = Buffer.concat([this.#heard, bytes]).subarray(-heardBytesMax);
        controller?.enqueue(bytes);
      },
      gone: (reason) => this.#lose(reason),
    });
    this.writable = new WritableStream({
      write: async (bytes) => {
        this.bytesOut += bytes.length;
        await wire.write(bytes);
      },
    });
    this.#wire = wire;
  }

  async close(): Promise<void> {
    const wire = this.#wire;
    this.#wire = undefined;
    this.readable = null;
    this.writable = null;
    await wire?.close();
  }

  async setSignals(signals: { dataTerminalReady?: boolean; requestToSend?: boolean }): Promise<void> {
    await this.#wire?.setLines({ dtr: signals.dataTerminalReady, rts: signals.requestToSend });
  }

  async setBaudRate(baud: number): Promise<void> {
    await this.#wire?.setBaud(baud);
  }

  /** What `work` gives, or the port's loss as soon as it happens. @throws {PortLost} */
  async unlessLost<Result>(work: Promise<Result>): Promise<Result> {
    if (this.#loss !== undefined) {
      work.catch(() => undefined);
      throw this.#loss;
    }
    let tell = (_loss: PortLost) => {};
    const lost = new Promise<never>((_, reject) => {
      tell = reject;
    });
    this.#whenLost.add(tell);
    return Promise.race([work, lost]).finally(() => this.#whenLost.delete(tell));
  }

  #lose(reason: string): void {
    this.#loss = new PortLost(reason);
    for (const tell of this.#whenLost) tell(this.#loss);
  }
}

const heardBytesMax = 4096;
