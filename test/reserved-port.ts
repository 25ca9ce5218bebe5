/**
 * Ports of this computer for what must know its port before it listens there, or must have it again after a restart.
 *
 * A port that the kernel chose (`listen(0)`) is from its ephemeral range; once it is closed, any outgoing connection of any process may be given it. These ports are
 * from below that range: nobody is given one of them who does not ask for it. Nor do two tests ask for the same: each of vitest's workers has a slice of its own,
 * and begins somewhere in it, so that what an earlier test or another run left behind is rarely met. What is met all the same is passed over.
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server } from "node:net";

/** Linux has its ephemeral ports from 32,768 on, others from 49,152. */
const firstPort = 20_000;
const endPort = 32_768;
/** For as many workers at once; a process outside of vitest has the first. */
const slices = 8;

const slicePorts = (endPort - firstPort) / slices;
const sliceFirst = firstPort + (Number(process.env.VITEST_POOL_ID ?? 0) % slices) * slicePorts;
let next = Math.floor(Math.random() * slicePorts);

/** A port that nobody listens at, over TCP or UDP, and that this process has not reserved lately. @throws {Error} when there is none */
export async function reservedPort(): Promise<number> {
  const [port] = await reservedPorts(1);
  return port!;
}

/** As many, one after the other. @throws {Error} when there are not so many */
export async function reservedPorts(count: number): Promise<number[]> {
  for (let tries = 0; tries < slicePorts; tries++) {
    if (next + count > slicePorts) next = 0;
    const ports = Array.from({ length: count }, (_, i) => sliceFirst + next + i);
    next += count;
    const free = await Promise.all(ports.map(isFree));
    if (!free.includes(false)) return ports;
  }
  throw new Error(`No ${count} ports on end are free from ${sliceFirst} to ${sliceFirst + slicePorts - 1}.`);
}

async function isFree(port: number): Promise<boolean> {
  const opensOverTcp = await opens(createServer().listen(port, "127.0.0.1"));
  return opensOverTcp && (await opens(createSocket("udp4").bind(port, "127.0.0.1")));
}

async function opens(socket: Server | Socket): Promise<boolean> {
  try {
    await once(socket, "listening");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return false;
    throw error;
  }
  socket.close();
  await once(socket, "close");
  return true;
}
