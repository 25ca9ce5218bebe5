/** Improv over a board's console, which its log shares. */
import type { Outcome, Request } from "../../../protocols/improv/client.ts";
import { encodePacket, PacketReader, PacketType } from "../../../protocols/improv/packets.ts";
import { openWire } from "../../flasher/serial/open-wire.ts";
import type { Wire } from "../../flasher/serial/wire.ts";
import { ClientDriver } from "./client-driver.ts";
import { ImprovFailed, type ImprovLink } from "./improv-link.ts";

export interface SerialLinkOptions {
  /** A device, `rfc2217://host:port` or `socket://host:port`. */
  readonly port: string;
  /** Of the board's console, in bit/s. */
  readonly baud: number;
  /** What is no Improv: the board's log. */
  readonly onLog?: (bytes: Uint8Array) => void;
  readonly onState?: (state: number) => void;
}

/** A packet that is held back for so long is none. */
const quietMs = 250;

export class SerialLink implements ImprovLink {
  readonly name: string;
  readonly isSerial = true;
  /** Improv has no such command for a cable: its end can be seen. */
  readonly canIdentify = false;
  readonly #wire: Wire;
  readonly #driver: ClientDriver;

  private constructor(name: string, wire: Wire, driver: ClientDriver) {
    this.name = name;
    this.#wire = wire;
    this.#driver = driver;
  }

  /** Does not reset the board. @throws {FlashProblem} what keeps the port from being opened */
  static async open({ port, baud, onLog, onState }: SerialLinkOptions): Promise<SerialLink> {
    let wire: Wire | undefined;
    const driver = new ClientDriver(
      (command) => {
        const sent = wire?.write(encodePacket(PacketType.command, command));
        sent?.catch((error: Error) => driver.lose(gone(port, error.message)));
      },
      true,
      (state) => onState?.(state),
    );
    const reader = new PacketReader({
      onPacket: (type, data) => {
        if (type === PacketType.state && data.length === 1) driver.onState(data[0]!);
        else if (type === PacketType.error && data.length === 1) driver.onError(data[0]!);
        else if (type === PacketType.result) driver.onResult(data.slice());
      },
      onOther: (bytes) => onLog?.(bytes.slice()),
    });
    let quiet: NodeJS.Timeout | undefined;
    wire = await openWire(port, baud, {
      data: (bytes) => {
        clearTimeout(quiet);
        reader.push(bytes);
        if (reader.isHolding) quiet = setTimeout(() => reader.abandon(), quietMs);
      },
      gone: (reason) => driver.lose(gone(port, reason)),
    });
    return new SerialLink(port, wire, driver);
  }

  ask(request: Request): Promise<Outcome> {
    return this.#driver.ask(request);
  }

  async close(): Promise<void> {
    this.#driver.lose(gone(this.name, "closed"));
    await this.#wire.close();
  }
}

function gone(port: string, reason: string): ImprovFailed {
  return new ImprovFailed("gone", `The board at ${port} went away (${reason}); plug it in, and try again.`);
}
