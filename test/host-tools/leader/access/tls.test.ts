import { X509Certificate } from "node:crypto";
import { type AddressInfo, connect as connectPlain, createServer } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import mqtt from "mqtt-packet";
import { expect, onTestFinished, test } from "vitest";
import { makeAuthority, makeHostCertificate, pem } from "../../../../host-tools/keys/authority.ts";
import { NoCertificate } from "../../../../host-tools/leader/access/reach.ts";
import { fetchTrusting } from "../../../../host-tools/security/trusting-fetch.ts";
import { eventually, type LeaderUnderTest, leaderUnderTest } from "../leader-under-test.ts";
import { memberOf } from "../test-swarm.ts";

const authority = makeAuthority("greenhouse", Date.now());
const ca = pem(authority.certificate);
const tls = makeHostCertificate(authority, "a", ["a.greenhouse.example"], Date.now());
const member = { ...memberOf("greenhouse", "host", "a"), tls };
const open = { member, reach: { listen: "127.0.0.1" } };
const trusting = fetchTrusting(authority.certificate);

function get(leader: LeaderUnderTest, path: string, headers = {}): Promise<Response> {
  return trusting(new URL(path, leader.url), { method: "GET", headers });
}

/** Resolves with the connection once it is there; rejects when the handshake fails. */
function shakeHands(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, ca, ...options }, () => resolve(socket));
    socket.once("error", reject);
  });
}

/** A client from before 2008 would speak these, where OpenSSL is asked to. */
const old: ConnectionOptions = { minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" };

test.each(["httpPort", "mqttPort"] as const)("%s speaks TLS 1.3 and 1.2, and nothing older", async (name) => {
  const leader = await leaderUnderTest(open);
  const port = leader[name];
  for (const [maxVersion, cipher] of [
    ["TLSv1.3", "TLS_AES_128_GCM_SHA256"],
    // What the boards' SDK has.
    ["TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"],
  ] as const) {
    const socket = await shakeHands(port, { ...old, maxVersion });
    expect(socket.getProtocol()).toBe(maxVersion);
    expect(socket.getCipher().name).toBe(cipher);
    socket.destroy();
  }
  for (const maxVersion of ["TLSv1.1", "TLSv1"] as const) {
    await expect(shakeHands(port, { ...old, maxVersion })).rejects.toThrow(/protocol|version/i);
  }
  const weak = { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-SHA:AES128-SHA@SECLEVEL=0" } as const;
  await expect(shakeHands(port, weak)).rejects.toThrow(/handshake/i);
});

test.each(["httpPort", "mqttPort"] as const)(
  "%s sends leaf and authority, since a board can't fetch what is missing",
  async (name) => {
    const leader = await leaderUnderTest(open);
    const socket = await shakeHands(leader[name], { maxVersion: "TLSv1.2" });
    expect(socket.authorized).toBe(true);
    const leaf = socket.getPeerX509Certificate()!;
    socket.destroy();
    expect(leaf.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(leaf.issuerCertificate!.fingerprint256).toBe(
      new X509Certificate(authority.certificate).fingerprint256,
    );
    await expect(
      shakeHands(leader[name], { ca: pem(makeAuthority("greenhouse", Date.now()).certificate) }),
    ).rejects.toThrow();
  },
);

test("whoever is not on this computer alone asks everybody to log in, over HTTPS", async () => {
  const leader = await leaderUnderTest(open);
  expect(leader.url).toBe(`https://127.0.0.1:${leader.httpPort}`);
  expect((await get(leader, "/")).status).toBe(200);
  expect((await get(leader, "/api/status")).status).toBe(401);
});

test("browsers are told to speak HTTPS alone to a name of the host's own, not to localhost", async () => {
  const leader = await leaderUnderTest(open);
  const strictAt = async (name: string) => {
    const response = await get(leader, "/", { host: `${name}:${leader.httpPort}` });
    expect(response.status).toBe(200);
    return response.headers.get("strict-transport-security");
  };
  expect(await strictAt("a.greenhouse.example")).toBe("max-age=31536000");
  expect(await strictAt("localhost")).toBeNull();
  expect(await strictAt("127.0.0.1")).toBeNull();
});

test("names are those of the certificate and no others", async () => {
  const leader = await leaderUnderTest(open);
  const statusAt = async (host: string) => {
    const socket = await shakeHands(leader.httpPort);
    socket.write(`GET / HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
    const answer = await new Promise<Buffer>((resolve) => socket.once("data", resolve));
    socket.destroy();
    return Number(answer.toString().split(" ")[1]);
  };
  for (const name of ["a.greenhouse.example", "localhost", "127.0.0.1", "[::1]"]) {
    expect(await statusAt(`${name}:${leader.httpPort}`), name).toBe(200);
  }
  for (const name of ["evil.example", "b.greenhouse.example", "192.0.2.7", "0.0.0.0"]) {
    expect(await statusAt(`${name}:${leader.httpPort}`), name).toBe(403);
  }
});

test("over HTTPS the cookie is for this very name, and for HTTPS alone", async () => {
  const leader = await leaderUnderTest(open);
  const response = await trusting(new URL("/api/logout", leader.url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  expect(response.headers.get("set-cookie")).toBe(
    "__Host-covey-greenhouse-a=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure",
  );
});

test("whoever speaks HTTP to the HTTPS port is told so, and the connection ends", async () => {
  const leader = await leaderUnderTest(open);
  const response = await fetch(`http://127.0.0.1:${leader.httpPort}/api/status`);
  expect(response.status).toBe(400);
  expect(await response.json()).toEqual({
    error: { code: "bad-request", message: expect.stringContaining("https://") },
  });
  const answer = await talk(leader.httpPort, Buffer.from("\0garbage"));
  expect(answer).toContain("400 Bad Request");
});

/** Sends, and reads until the other side ends the connection. */
function talk(port: number, bytes: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectPlain(port, "127.0.0.1", () => socket.write(bytes));
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
  });
}

const connectPacket = mqtt.generate({ cmd: "connect", clientId: "north-1", keepalive: 10, clean: true });

test("MQTT answers over TLS, and in the clear only where it was asked for", async () => {
  const strict = await leaderUnderTest(open);
  const socket = await shakeHands(strict.mqttPort);
  socket.write(connectPacket);
  const [answer] = (await new Promise<Buffer>((resolve) =>
    socket.once("data", resolve),
  )) as unknown as number[];
  socket.destroy();
  // A CONNACK: who this is, is another question.
  expect(answer! >> 4).toBe(2);
  expect(await talk(strict.mqttPort, connectPacket)).not.toMatch(/^\x20/);

  const plain = await leaderUnderTest({ member, reach: { listen: "127.0.0.1", mqttPlain: true } });
  expect(await talk(plain.mqttPort, connectPacket)).toMatch(/^\x20/);
});

/** The TLS of a board that has none of its own: 1.2, as the boards' SDK speaks it. Gives the port to connect to. */
async function tunnelTo(port: number): Promise<number> {
  const server = createServer((plain) => {
    const secure = connect({ host: "127.0.0.1", port, ca, maxVersion: "TLSv1.2" });
    for (const [end, other] of [
      [plain, secure],
      [secure, plain],
    ] as const) {
      end.pipe(other).on("error", () => end.destroy());
      end.on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

test("a board does all over TLS 1.2 that it does without: session, votes, reports", async () => {
  const leader = await leaderUnderTest(open);
  const board = await leader.join("north-1", { port: await tunnelTo(leader.mqttPort) });
  board.report(0, [{ metric: "temperature", takenMs: 0, value: 21.5, quality: 0 }]);
  await eventually(() => leader.status().boards[0]!.readings[0]?.value === 21.5);
  await eventually(() => leader.status().leader.voters.length === 2);
  const { commitIndex } = leader.status().leader;
  await eventually(() => leader.status().boards[0]!.appliedIndex >= commitIndex);
  expect(leader.status().violations).toEqual([]);
});

test("whoever opens MQTT connections and says nothing is cut off, and boards get in meanwhile", async () => {
  const leader = await leaderUnderTest(open);
  const silent = Array.from({ length: 100 }, () => connectPlain(leader.mqttPort, "127.0.0.1"));
  for (const socket of silent) socket.on("error", () => {});
  const board = await leader.join("north-1", { port: await tunnelTo(leader.mqttPort) });
  board.report(0, [{ metric: "temperature", takenMs: 0, value: 21.5, quality: 0 }]);
  await eventually(() => leader.status().boards[0]!.readings.length === 1);
  await eventually(() => silent.every((socket) => socket.closed), 10_000);
});

test("without a certificate a host does not listen elsewhere, and says how to get one", async () => {
  const bare = { member: memberOf("greenhouse", "host", "a"), reach: { listen: "0.0.0.0" } };
  const attempt = leaderUnderTest(bare);
  await expect(attempt).rejects.toThrow(NoCertificate);
  await expect(attempt).rejects.toThrow(/covey keys issue a/);
});

test("a client that trusts the swarm's authority alone refuses a host of another one", async () => {
  const leader = await leaderUnderTest(open);
  const other = fetchTrusting(makeAuthority("greenhouse", Date.now()).certificate);
  await expect(other(new URL(leader.url), { method: "GET", headers: {} })).rejects.toMatchObject({
    cause: { code: expect.stringMatching(/CERT/) },
  });
});
