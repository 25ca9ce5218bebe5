/** What bounds an attacker's patience, on a clock of the test's own. */
import { expect, test } from "vitest";
import { challengeLimits, LoginChallenges } from "../../../../host-tools/leader/access/login-challenges.ts";
import { gateLimits, LoginGate } from "../../../../host-tools/leader/access/login-gate.ts";
import { LoginSessions, sessionLimits } from "../../../../host-tools/leader/access/login-sessions.ts";
import { nodeCiphers } from "../../../../host-tools/security/node-ciphers.ts";
import { Roster } from "../../../../protocols/security/identity/roster.ts";
import { TestRoot } from "../../../members.ts";

class Clock {
  ms = 1_000;
  readonly now = () => this.ms;
}

test("after three failures an address waits a second, then twice as long each time, five minutes at most", () => {
  const clock = new Clock();
  const gate = new LoginGate(clock.now);
  const waits: number[] = [];
  for (let i = 0; i < 16; i++) {
    const waitMs = gate.waitMs("192.0.2.1");
    waits.push(waitMs);
    clock.ms += waitMs;
    expect(gate.waitMs("192.0.2.1")).toBe(0);
    gate.failed("192.0.2.1");
  }
  const { waitFirstMs, waitMostMs } = gateLimits;
  expect(waits.slice(0, 6)).toEqual([0, 0, 0, waitFirstMs, 2 * waitFirstMs, 4 * waitFirstMs]);
  expect(waits.at(-1)).toBe(waitMostMs);
  // Others go on meanwhile.
  expect(gate.waitMs("192.0.2.2")).toBe(0);
  clock.ms += gateLimits.forgetMs + waitMostMs;
  gate.waitMs("192.0.2.1");
  gate.failed("192.0.2.1");
  expect(gate.waitMs("192.0.2.1")).toBe(0);
});

test("a success ends the waiting", () => {
  const clock = new Clock();
  const gate = new LoginGate(clock.now);
  for (let i = 0; i < 3; i++) gate.failed("192.0.2.1");
  expect(gate.waitMs("192.0.2.1")).toBeGreaterThan(0);
  gate.succeeded("192.0.2.1");
  expect(gate.waitMs("192.0.2.1")).toBe(0);
});

test.each([
  ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true],
  ["2001:db8::1", "2001:db8:0:0:1::2", true],
  ["2001:db8:1:2::1", "2001:db8:1:3::1", false],
  ["::ffff:192.0.2.1", "192.0.2.1", true],
  ["192.0.2.1", "192.0.2.2", false],
])("%s and %s wait together: %s", (failing, other, together) => {
  const gate = new LoginGate(new Clock().now);
  for (let i = 0; i < 3; i++) gate.failed(failing);
  expect(gate.waitMs(other) > 0).toBe(together);
});

test("all addresses together have so many attempts a second, and none of them fills the memory", () => {
  const clock = new Clock();
  const gate = new LoginGate(clock.now);
  let passed = 0;
  for (let i = 0; i < 5_000; i++) {
    const address = `10.0.${i >> 8}.${i & 255}`;
    if (gate.waitMs(address) === 0) passed++;
    gate.failed(address);
  }
  expect(passed).toBe(gateLimits.burst);
  clock.ms += 1_000;
  for (let i = 0; i < 100; i++) if (gate.waitMs(`10.1.0.${i}`) === 0) passed++;
  expect(passed).toBe(gateLimits.burst + 1_000 / gateLimits.refillMs);
});

test("a challenge is good for a minute and for one login, and only where it was made", () => {
  const clock = new Clock();
  const challenges = new LoginChallenges(clock.now);
  const challenge = challenges.make();
  expect(Buffer.from(challenge, "base64url")).toHaveLength(32);
  clock.ms += challengeLimits.ageMaxMs;
  expect(challenges.isFresh(challenge)).toBe(true);
  clock.ms += 1;
  expect(challenges.isFresh(challenge)).toBe(false);

  const used = challenges.make();
  challenges.use(used);
  expect(challenges.isFresh(used)).toBe(false);
  const other = new LoginChallenges(clock.now);
  expect(other.isFresh(challenges.make())).toBe(false);
  const bytes = Buffer.from(challenges.make(), "base64url");
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes);
    changed[i]! ^= 1;
    expect(challenges.isFresh(changed.toString("base64url"))).toBe(false);
  }
});

function sessions(clock: Clock) {
  const root = new TestRoot("greenhouse");
  const roster = new Roster(nodeCiphers, root.keys.publicKey, "greenhouse", 64);
  const known = (name: string) => roster.admit(root.issue("viewer", name).signed)!;
  return { root, roster, known, sessions: new LoginSessions(roster, clock.now) };
}

test("a session ends after twelve hours, and when the root revokes its identity", () => {
  const clock = new Clock();
  const { root, roster, known, sessions: all } = sessions(clock);
  const [vera, otto] = [known("vera"), known("otto")];
  const [hers, his] = [all.open(vera), all.open(otto)];
  clock.ms += sessionLimits.ageMaxMs - 1;
  expect(all.find(hers)).toMatchObject({ name: "vera" });
  expect(roster.take(root.revoke(1, vera.kid))).toBe(true);
  expect(all.find(hers)).toBeUndefined();
  expect(all.find(his)).toMatchObject({ name: "otto" });
  clock.ms += 1;
  expect(all.find(his)).toBeUndefined();
});

test("sessions are bounded: one identity's newest stay, and somebody else's with them", () => {
  const { known, sessions: all } = sessions(new Clock());
  const his = all.open(known("otto"));
  const vera = known("vera");
  const hers = Array.from({ length: sessionLimits.ofOneMax + 1 }, () => all.open(vera));
  expect(all.find(hers[0]!)).toBeUndefined();
  expect(hers.slice(1).every((token) => all.find(token) !== undefined)).toBe(true);
  expect(all.find(his)).toBeDefined();
});

test("a token is found by its hash: nothing that is kept or compared is the token itself", () => {
  const { known, sessions: all } = sessions(new Clock());
  const token = all.open(known("vera"));
  // One that shares all characters but the last is as wrong as any other one, and takes the same path: one hash, one look-up.
  const alike = token.slice(0, -1) + (token.endsWith("A") ? "Q" : "A");
  expect(all.find(alike)).toBeUndefined();
  expect(all.find("")).toBeUndefined();
  expect(all.find(token)).toBeDefined();
});
