/**
 * Answers the calls of a board in XS from its world: the parent's half of `firmware/platform/desktop/calls.ts`.
 */
import { Answer, Arrival, arrivalBytesMax, Call } from "../../../firmware/platform/desktop/calls.ts";
import type { TcpConnection, UdpSocket } from "../../../firmware/platform/ports.ts";
import type { BoardWorld } from "../../../firmware/platform/virtual/world.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import { decodeCbor, encodeCbor } from "../../codec/cbor.ts";
import { Arguments } from "./call-arguments.ts";
import { NearAnswers } from "./near-answers.ts";

const randomBytesMax = 1024;

export class CallAnswers {
  readonly #world: BoardWorld;
  readonly #arrive: (message: Uint8Array) => void;
  readonly #connections = new Map<number, TcpConnection>();
  readonly #udpSockets = new Map<number, UdpSocket>();
  readonly #near: NearAnswers;

  /** `arrive` takes what happens outside the board to it, one message a turn, in order. */
  constructor(world: BoardWorld, arrive: (message: Uint8Array) => void) {
    this.#world = world;
    this.#arrive = arrive;
    this.#near = new NearAnswers(world, (message) => this.#tell(message));
  }

  /** Carries out one call. A refusal by the world is an answer too; a request that is no call at all throws. */
  answer(request: Uint8Array): Uint8Array {
    const items = decodeCbor(request);
    if (!Array.isArray(items)) throw new TypeError("The board made a call that is no CBOR array.");
    let answer: CborValue;
    try {
      answer = [Answer.result, this.#carryOut(new Arguments(items))];
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      answer = [Answer.refusal, error.message];
    }
    return encodeCbor(answer);
  }

  #carryOut(call: Arguments): CborValue {
    const { random, ciphers, flash, network, sensors, actuators, system, keyValue, update, keeping } =
      this.#world;
    const opcode = call.number(0);
    switch (opcode) {
      case Call.config: {
        const { swarm, board, model, hosts, timeServer = null, credentials } = system.config;
        const { root, signed, privateKey } = credentials;
        const places = hosts.map(({ name, address, port }) => [name, address, port]);
        const { sizeBytes, sectorBytes, alignBytes } = flash;
        const start = system.startReason ?? null;
        const config = [swarm, board, model, places, timeServer, start, sizeBytes, sectorBytes, alignBytes];
        const { isOnTrial = false, region } = update ?? {};
        const chip = [keyValue !== undefined, region?.sizeBytes ?? 0, isOnTrial, keeping?.sizeBytes ?? 0];
        return [...config, [root, signed, privateKey], chip];
      }
      case Call.random: {
        const lengthBytes = call.number(1);
        if (lengthBytes > randomBytesMax)
          throw new RangeError(`${lengthBytes} random bytes are too many at once.`);
        const bytes = new Uint8Array(lengthBytes);
        random.fill(bytes);
        return bytes;
      }
      case Call.flashRead:
        return flash.read(call.number(1), call.number(2));
      case Call.flashWrite:
        flash.write(call.number(1), call.bytes(2));
        return null;
      case Call.flashErase:
        flash.eraseSector(call.number(1));
        return null;
      case Call.networkStart:
        network.start((up) => this.#tell([up ? Arrival.networkUp : Arrival.networkDown]));
        return null;
      case Call.wifiChange:
        if (network.changeWifi === undefined) throw new RangeError("This board has no Wi-Fi.");
        network.changeWifi({ ssid: call.text(1), password: call.text(2) });
        return null;
      case Call.tcpOpen:
        this.#connect(call.number(1), call.text(2), call.number(3));
        return null;
      case Call.tcpWrite:
        return this.#connections.get(call.number(1))?.write(call.bytes(2)) ?? false;
      case Call.tcpClose:
        this.#connections.get(call.number(1))?.close();
        this.#connections.delete(call.number(1));
        return null;
      case Call.sensorRead:
        return sensors.read(call.text(1));
      case Call.outputConfigure: {
        const kind = call.oneOf(2, ["digital", "pwm"] as const);
        actuators.configure({ name: call.text(1), kind, pin: call.number(3), safeValue: call.number(4) });
        return null;
      }
      case Call.outputWrite:
        actuators.write(call.text(1), call.number(2));
        return null;
      case Call.outputRelease:
        actuators.release(call.text(1));
        return null;
      case Call.log:
        system.log(call.oneOf(1, ["debug", "info", "warn", "error"] as const), call.text(2));
        return null;
      case Call.restart:
        system.restart(call.text(1));
        return null;
      case Call.sha256:
        return ciphers.sha256(call.bytes(1));
      case Call.hmacSha256:
        return ciphers.hmacSha256(call.bytes(1), call.bytes(2));
      case Call.ccmSeal:
        return ciphers.ccmSeal(call.bytes(1), call.bytes(2), call.tagBytes(3), call.bytes(4), call.bytes(5));
      case Call.ccmOpen:
        return (
          ciphers.ccmOpen(call.bytes(1), call.bytes(2), call.tagBytes(3), call.bytes(4), call.bytes(5)) ??
          null
        );
      case Call.generateKeyPair: {
        const { privateKey, publicKey } = ciphers.generateKeyPair();
        return [privateKey, publicKey];
      }
      case Call.sharedSecret:
        return ciphers.sharedSecret(call.bytes(1), call.bytes(2)) ?? null;
      case Call.sign:
        return ciphers.sign(call.bytes(1), call.bytes(2));
      case Call.verify:
        return ciphers.verify(call.bytes(1), call.bytes(2), call.bytes(3));
      case Call.udpOpen:
        this.#openUdp(call.number(1), call.number(2), call.textOrNull(3) ?? undefined);
        return null;
      case Call.udpSend:
        this.#udpSockets.get(call.number(1))?.send(call.text(2), call.number(3), call.bytes(4));
        return null;
      case Call.udpClose:
        this.#udpSockets.get(call.number(1))?.close();
        this.#udpSockets.delete(call.number(1));
        return null;
      case Call.deepSleep:
        if (system.deepSleep === undefined) throw new RangeError("This board can't sleep.");
        system.deepSleep(call.number(1));
        return null;
      case Call.kvRead:
        return present(keyValue).read(call.text(1)) ?? null;
      case Call.kvWrite:
        present(keyValue).write(call.text(1), call.bytes(2));
        return null;
      case Call.kvDelete:
        present(keyValue).delete(call.text(1));
        return null;
      case Call.slotRead:
        return present(update).region.read(call.number(1), call.number(2));
      case Call.slotWrite:
        present(update).region.write(call.number(1), call.bytes(2));
        return null;
      case Call.slotErase:
        present(update).region.eraseSector(call.number(1));
        return null;
      case Call.keepRead:
        return present(keeping).read(call.number(1), call.number(2));
      case Call.keepWrite:
        present(keeping).write(call.number(1), call.bytes(2));
        return null;
      case Call.keepErase:
        present(keeping).eraseSector(call.number(1));
        return null;
      case Call.slotRunning:
        return present(update).running;
      case Call.slotSelect:
        present(update).select();
        return null;
      case Call.markValid:
        system.markValid?.();
        return null;
      default: {
        const answer = this.#near.carryOut(opcode, call);
        if (answer !== undefined) return answer;
        throw new TypeError(`The board made a call with the unknown opcode ${opcode}.`);
      }
    }
  }

  #connect(socket: number, host: string, port: number): void {
    const connection = this.#world.network.connect(host, port, {
      onOpen: () => this.#tell([Arrival.tcpOpened, socket]),
      onData: (bytes) => this.#tell([Arrival.tcpData, socket, bytes]),
      onClose: (reason) => {
        this.#connections.delete(socket);
        this.#tell([Arrival.tcpClosed, socket, reason]);
      },
    });
    this.#connections.set(socket, connection);
  }

  #openUdp(socket: number, port: number, group: string | undefined): void {
    const { network } = this.#world;
    if (network.openUdp === undefined) throw new RangeError("This board has no UDP.");
    const onData = (bytes: Uint8Array, address: string, from: number) => {
      if (bytes.length <= arrivalBytesMax) this.#tell([Arrival.udpData, socket, bytes, address, from]);
    };
    const opened = network.openUdp(port, { onData }, group);
    this.#udpSockets.set(socket, opened);
  }

  #tell(message: CborValue): void {
    this.#arrive(encodeCbor(message));
  }
}

function present<Port>(port: Port | undefined): Port {
  if (port === undefined) throw new RangeError("This board has no such part.");
  return port;
}
