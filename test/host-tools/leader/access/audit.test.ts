import { expect, onTestFinished, test, vi } from "vitest";
import {
  AuditRing,
  type AuditRingOptions,
  auditLimits,
  isAuditKey,
  readAudit,
} from "../../../../host-tools/leader/access/audit-ring.ts";
import type { AuditEntry } from "../../../../host-tools/leader/api/types/access.ts";
import type { LogEntry } from "../../../../host-tools/leader/api/types/log.ts";
import { createLog } from "../../../../host-tools/leader/log.ts";
import type { AgreedValue } from "../../../../host-tools/leader/state/agreed-state.ts";
import { stateLimits } from "../../../../protocols/state/command.ts";
import { eventually, leaderUnderTest } from "../leader-under-test.ts";
import { SeveralHosts } from "../several-hosts.ts";
import { askAs, logIn, person } from "./people.ts";

const startMs = Date.UTC(2026, 10, 22, 8);

/** A ring over an agreed state that is here. */
function ring(put?: AuditRingOptions["put"]) {
  vi.useFakeTimers({ now: startMs });
  onTestFinished(() => void vi.useRealTimers());
  const agreed = new Map<string, AgreedValue>();
  let index = 0;
  const audit = new AuditRing({
    get: (key) => agreed.get(key),
    put:
      put ??
      (async (key, text) => {
        agreed.set(key, { value: text, index: ++index });
      }),
    log: createLog("error", () => {}),
    now: Date.now,
  });
  onTestFinished(() => audit.stop());
  return { audit, agreed, read: () => readAudit((key) => agreed.get(key)) };
}

test("repeated refusals are one entry with how many they were, at most one in ten seconds", async () => {
  const { audit, agreed, read } = ring();
  for (let i = 0; i < 1_000; i++) audit.refused("vera", "write fan.duty");
  await vi.advanceTimersByTimeAsync(1);
  expect(read()).toEqual([
    { time: "2026-11-22T08:00:00Z", who: "vera", what: "write fan.duty", count: 1_000 },
  ]);
  for (let second = 1; second < 60; second++) {
    audit.refused("vera", "write fan.duty");
    audit.refused("198.51.100.7", "log in");
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(agreed.size).toBeLessThanOrEqual(7);
  await vi.advanceTimersByTimeAsync(20_000);
  const total = (who: string) =>
    read().reduce((sum, entry) => sum + (entry.who === who ? entry.count : 0), 0);
  expect(total("vera")).toBe(1_059);
  expect(total("198.51.100.7")).toBe(59);
});

test("the ring keeps the newest, within one key each of the state's limits", async () => {
  const { audit, agreed, read } = ring();
  for (let i = 0; i < auditLimits.places + 5; i++) {
    audit.refused(`intruder-${i}`, "log in");
    await vi.advanceTimersByTimeAsync(auditLimits.everyMs + 1);
  }
  expect(agreed.size).toBe(auditLimits.places);
  expect([...agreed.keys()].every(isAuditKey)).toBe(true);
  expect(read().map(({ who }) => who)).toEqual(
    Array.from({ length: auditLimits.places }, (_, i) => `intruder-${i + 5}`),
  );
});

test("whoever is refused under a thousand names in a thousand ways fills no memory, and every refusal counts", async () => {
  const { audit, agreed, read } = ring();
  for (let i = 0; i < 1_000; i++) audit.refused(`n${i}`.repeat(50), `ü\n\u001b[2J${i}`.repeat(50));
  await vi.advanceTimersByTimeAsync(auditLimits.everyMs * (auditLimits.waitingMax + 2));
  const entries = read();
  expect(entries).toHaveLength(auditLimits.places);
  expect(entries.at(-1)).toMatchObject({ who: "several", count: 1_000 - auditLimits.waitingMax });
  for (const { value } of agreed.values()) {
    expect(Buffer.byteLength(String(value))).toBeLessThanOrEqual(stateLimits.textBytesMax);
    expect(String(value)).toMatch(/^[\x20-\x7e]+$/);
  }
});

test("what could not be agreed on is told later, with what came since", async () => {
  let isLed = false;
  const told: string[] = [];
  const { audit } = ring(async (_key, text) => {
    if (!isLed) throw new Error("no leader");
    told.push(text);
  });
  audit.refused("vera", "write fan.duty");
  await vi.advanceTimersByTimeAsync(1);
  audit.refused("vera", "write fan.duty");
  isLed = true;
  await vi.advanceTimersByTimeAsync(auditLimits.everyMs);
  expect(told).toEqual(["2026-11-22T08:00:00Z 2x vera: write fan.duty"]);
});

test("a refusal stands in the replicated log, for admins alone to read", async () => {
  const leader = await leaderUnderTest({ reach: { requireLogin: true } });
  const vera = await logIn(leader.url, person("viewer", "vera"));
  const ann = await logIn(leader.url, person("admin", "ann"));
  await askAs(leader.url, vera, "/api/settings/fan.duty", { method: "PUT", body: '{"value":40}' });
  const entries = async () => (await askAs(leader.url, ann, "/api/audit")).body as unknown as AuditEntry[];
  await vi.waitFor(async () => expect(await entries()).toHaveLength(1));
  expect(await entries()).toMatchObject([{ who: "vera", what: "write fan.duty", count: 1 }]);
  const logFor = async (token: string) =>
    (await askAs(leader.url, token, "/api/log")).body as unknown as LogEntry[];
  expect((await logFor(ann)).at(-1)!.text).toContain("vera: write fan.duty");
  expect((await logFor(vera)).at(-1)!.text).toBe("(not yours to read)");
});

test("a host that does not lead tells the leader whom it refused", { timeout: 30_000 }, async () => {
  const several = new SeveralHosts(["a", "b"], []);
  await several.start("a");
  await several.start("b");
  await several.leader();
  const isFollower = (name: string) => several.host(name).status().leader.role === "follower";
  const follower = await eventually(() => ["a", "b"].find(isFollower), 10_000);
  const { url } = several.host(follower);
  const vera = await logIn(url, person("viewer", "vera"));
  expect(
    (await askAs(url, vera, "/api/settings/fan.duty", { method: "PUT", body: '{"value":40}' })).status,
  ).toBe(403);
  for (const name of ["a", "b"]) {
    await vi.waitFor(
      async () => {
        const { body } = await askAs(several.host(name).url, undefined, "/api/audit");
        expect(body).toMatchObject([{ who: "vera", what: "write fan.duty", count: 1 }]);
      },
      { timeout: 15_000, interval: 100 },
    );
  }
});
