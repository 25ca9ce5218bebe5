/**
 * Connections of those who have not proved yet who they are. There is room for a number of them only, and when it is used up somebody is turned away for
 * each newcomer: of the address that has most of them waiting, the one that has waited longest. So whoever opens connections by the thousand turns away
 * its own, and a board that comes from elsewhere gets in meanwhile.
 */
import type { Socket } from "node:net";

export class WaitingRoom {
  /** By address; in each set the longest waiting first. */
  readonly #waiting = new Map<string, Set<Socket>>();
  /** A socket that is closed has forgotten where it came from. */
  readonly #addresses = new Map<Socket, string>();

  enter(socket: Socket): void {
    const address = socket.remoteAddress ?? "";
    this.#addresses.set(socket, address);
    const others = this.#waiting.get(address);
    if (others === undefined) this.#waiting.set(address, new Set([socket]));
    else others.add(socket);
  }

  /** It has proved itself, or is gone. */
  leave(socket: Socket): void {
    const address = this.#addresses.get(socket);
    if (address === undefined) return;
    this.#addresses.delete(socket);
    const others = this.#waiting.get(address)!;
    others.delete(socket);
    if (others.size === 0) this.#waiting.delete(address);
  }

  /** Whom to turn away; undefined while nobody waits. */
  get surplus(): Socket | undefined {
    let crowd: Set<Socket> | undefined;
    for (const waiting of this.#waiting.values()) {
      if (crowd === undefined || waiting.size > crowd.size) crowd = waiting;
    }
    return crowd?.values().next().value;
  }
}
