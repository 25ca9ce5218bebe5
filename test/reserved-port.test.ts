import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { reservedPort, reservedPorts } from "./reserved-port.ts";

test("ports are such as the kernel gives nobody, different each time, on end where several are wanted", async () => {
  const ephemeral = "/proc/sys/net/ipv4/ip_local_port_range";
  const [firstEphemeral] = existsSync(ephemeral) ? readFileSync(ephemeral, "utf8").split("\t") : [];
  const ports = await reservedPorts(50);
  expect(ports).toEqual(ports.map((_, i) => ports[0]! + i));
  expect(ports[0]).toBeGreaterThan(1023);
  expect(ports.at(-1)).toBeLessThan(Number(firstEphemeral ?? 49_152));
  expect(ports).not.toContain(await reservedPort());
});

test("two that are asked for at once are two", async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, () => reservedPort()));
  expect(new Set(ports).size).toBe(20);
});

test("a port at which somebody listens already is passed over, TCP or UDP", async () => {
  const before = await reservedPort();
  const server = createServer().listen(before + 1, "127.0.0.1");
  onTestFinished(() => void server.close());
  // Where somebody else listens already, that is as good.
  await once(server, "listening").catch(() => {});
  const socket = createSocket("udp4").bind(before + 2, "127.0.0.1");
  onTestFinished(() => void socket.unref());
  await once(socket, "listening").catch(() => {});
  expect([before + 1, before + 2]).not.toContain(await reservedPort());
});
