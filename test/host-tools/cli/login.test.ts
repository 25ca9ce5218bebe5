import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SwarmClient, type SwarmOptions } from "../../../host-tools/cli/swarm-client.ts";
import { makeAuthority, makeHostCertificate, pem } from "../../../host-tools/keys/authority.ts";
import type { LoggedIn } from "../../../host-tools/leader/api/types/access.ts";
import type { SetResult } from "../../../host-tools/leader/api/types/settings.ts";
import type { Status } from "../../../host-tools/leader/api/types/status.ts";
import { type MemberSecrets, writeMemberFile } from "../../../host-tools/security/member-file.ts";
import { TestRoot } from "../../members.ts";
import { person } from "../leader/access/people.ts";
import { leaderUnderTest, temporaryFolder } from "../leader/leader-under-test.ts";
import { memberOf } from "../leader/test-swarm.ts";

const authority = makeAuthority("greenhouse", Date.now());
const tls = makeHostCertificate(authority, "a", [], Date.now());
const open = {
  member: { ...memberOf("greenhouse", "host", "a"), tls },
  reach: { listen: "127.0.0.1" },
};

/** The file of that identity, with the authority that `covey keys issue` puts in. */
function fileOf(
  member: MemberSecrets,
  more: Partial<MemberSecrets> = { authority: authority.certificate },
): string {
  const path = join(temporaryFolder(), `${member.identity.name}.json`);
  writeMemberFile(path, { ...member, ...more });
  return path;
}

function client(url: string, options: Partial<SwarmOptions> = {}): SwarmClient {
  return SwarmClient.find({ url, state: temporaryFolder(), ...options });
}

async function failureOf(attempt: Promise<unknown>): Promise<{ message: string; code: string }> {
  return attempt.then(
    () => {
      throw new Error("It did not fail.");
    },
    (error) => error,
  );
}

test("--as logs in where a host wants to know who asks, over HTTPS with the swarm's own authority", async () => {
  const { url } = await leaderUnderTest(open);
  const swarm = client(url, { as: fileOf(person("operator", "otto")) });
  expect((await swarm.get<Status>("/api/status")).swarm).toBe("greenhouse");
  expect((await swarm.get<LoggedIn>("/api/session")).name).toBe("otto");
  const { commandId } = await swarm.ask("/api/settings/fan.duty");
  const set = await swarm.put<SetResult>("/api/settings/fan.duty", { value: 40 }, commandId);
  expect(set.value).toBe(40);
  let csv = "";
  for await (const text of swarm.stream("/api/readings?format=csv")) csv += text;
  expect(csv).toBe("time,board,metric,value,unit,quality\n");
});

test("the authority may come in a file of its own", async () => {
  const { url } = await leaderUnderTest(open);
  const ca = join(temporaryFolder(), "authority.pem");
  writeFileSync(ca, pem(authority.certificate));
  const swarm = client(url, { as: fileOf(person("viewer", "vera"), {}), ca });
  expect((await swarm.get<Status>("/api/status")).swarm).toBe("greenhouse");
});

test("who is not logged in, has no right, or holds a revoked identity is told which", async () => {
  const { url } = await leaderUnderTest({ reach: { requireLogin: true } });
  expect(await failureOf(client(url).get("/api/status"))).toMatchObject({
    code: "not-logged-in",
    message: expect.stringContaining("--as FILE"),
  });
  const viewer = client(url, { as: fileOf(person("viewer", "vera")) });
  expect(await failureOf(viewer.put("/api/settings/fan.duty", { value: 1 }, undefined))).toMatchObject({
    code: "forbidden",
    message: expect.stringContaining("vera (viewer) may not write fan.duty"),
  });
  const stranger = client(url, { as: fileOf(new TestRoot("greenhouse").issue("admin", "eve")) });
  expect(await failureOf(stranger.get("/api/status"))).toMatchObject({
    code: "not-logged-in",
    message: expect.stringContaining("revoked"),
  });
  const neighbour = client(url, { as: fileOf(new TestRoot("orchard").issue("admin", "olga")) });
  expect(await failureOf(neighbour.get("/api/status"))).toMatchObject({
    message: expect.stringContaining("of the swarm greenhouse, and olga's identity of orchard"),
  });
});

test("a certificate that proves nothing is refused before anything is said", async () => {
  const { url, logged } = await leaderUnderTest(open);
  const other = makeAuthority("greenhouse", Date.now()).certificate;
  const ann = person("admin", "ann");
  for (const options of [{}, { as: fileOf(ann, { authority: other }) }, { as: fileOf(ann, {}) }]) {
    expect(await failureOf(client(url, options).get("/api/status"))).toMatchObject({
      code: "bad-certificate",
      message: expect.stringContaining("does not prove that it is a host of this swarm"),
    });
  }
  expect(logged.filter((line) => line.includes('"log in'))).toEqual([]);
});

test("a file that is no identity, and an address in the clear, are refused at once", async () => {
  const file = join(temporaryFolder(), "notes.txt");
  writeFileSync(file, "hello", { mode: 0o600 });
  expect(() => client("http://127.0.0.1:1", { as: file })).toThrow(/covey keys issue/);
  expect(() => client("http://127.0.0.1:1", { ca: file })).toThrow(/no certificate/);
  expect(() => client("http://127.0.0.1:1", { ca: `${file}.none` })).toThrow(/can't be read/);
});

test("https:// to a host that speaks plain HTTP, and the other way round, end with a sentence", async () => {
  const plain = await leaderUnderTest();
  const wrong = plain.url.replace("http:", "https:");
  expect(await failureOf(client(wrong).get("/api/status"))).toMatchObject({
    message: expect.stringMatching(/\.$/),
  });
  const secure = await leaderUnderTest(open);
  expect(await failureOf(client(secure.url.replace("https:", "http:")).get("/api/status"))).toMatchObject({
    message: "This port speaks HTTPS: write https:// in the address.",
  });
});
