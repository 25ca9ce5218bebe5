/** Requests that a host sends on to another, and what somebody who sees or makes such requests may try. */
import { expect, test } from "vitest";
import type { Actor } from "../../../../host-tools/leader/access/actor.ts";
import type { ForwardedRequest } from "../../../../host-tools/leader/hosts/vouching.ts";
import { Permission } from "../../../../protocols/security/identity/scope.ts";
import { host, up } from "./linked-hosts.ts";

const ann: Actor = {
  name: "ann",
  role: "operator",
  scope: [{ resource: "*", permissions: Permission.read | Permission.write }],
};
const request: ForwardedRequest = {
  method: "PUT",
  target: "/api/settings/fan.duty?x=1",
  body: '{"value":41}',
};

async function pair() {
  const a = await host("a");
  const b = await host("b", { a: a.links.port });
  await up(a, b);
  return { a, b };
}

test("the other host learns who asks, once for each time that it is vouched for, in whatever order", async () => {
  const { a, b } = await pair();
  const headers = Array.from({ length: 300 }, () => b.links.vouch("a", request, ann)!);
  for (const header of headers.toReversed()) expect(a.links.vouched(header, request)).toEqual(ann);
  for (const header of headers) expect(a.links.vouched(header, request)).toBeUndefined();
});

test("a request that is replayed after as many others as are remembered is still refused", async () => {
  const { a, b } = await pair();
  const first = b.links.vouch("a", request, ann)!;
  expect(a.links.vouched(first, request)).toEqual(ann);
  for (let i = 0; i < 8_192; i++) {
    const header = b.links.vouch("a", request, ann)!;
    if (i % 1_000 === 191) expect(a.links.vouched(header, request)).toEqual(ann);
  }
  expect(a.links.vouched(first, request)).toBeUndefined();
});

test.each<[string, Partial<ForwardedRequest>]>([
  ["method", { method: "POST" }],
  ["path", { target: "/api/settings/door.lamp?x=1" }],
  ["query", { target: "/api/settings/fan.duty?x=2" }],
  ["body", { body: '{"value":99}' }],
])("what is vouched for one request holds for none with another %s", async (_, changed) => {
  const { a, b } = await pair();
  const header = b.links.vouch("a", request, ann)!;
  expect(a.links.vouched(header, { ...request, ...changed })).toBeUndefined();
  // A vain attempt uses up nothing.
  expect(a.links.vouched(header, request)).toEqual(ann);
});

test("nobody rises to a higher role, another host, or another number by writing so", async () => {
  const { a, b } = await pair();
  const [from, number, , proof] = b.links.vouch("a", request, ann)!.split(";");
  const admin = Buffer.from(JSON.stringify({ ...ann, role: "admin" })).toString("base64url");
  const text = Buffer.from(JSON.stringify(ann)).toString("base64url");
  for (const header of [
    `${from};${number};${admin};${proof}`,
    `${from};2;${text};${proof}`,
    `c;${number};${text};${proof}`,
    `a;${number};${text};${proof}`,
    `${from};${number};${text};${proof};`,
    `${from};${number};${text};`,
    `${from};${number};${text}`,
    `${from};1e0;${text};${"A".repeat(43)}`,
    `${from}`,
    "",
    ";;;",
  ]) {
    expect(a.links.vouched(header, request)).toBeUndefined();
  }
});

test("what a host sends on does not count when it comes back to it", async () => {
  const { b } = await pair();
  const header = b.links.vouch("a", request, ann)!;
  expect(b.links.vouched(header, request)).toBeUndefined();
  expect(b.links.vouched(header.replace(/^b/, "a"), request)).toBeUndefined();
});

test("what was vouched for ends with the connection", async () => {
  const { a, b } = await pair();
  const header = b.links.vouch("a", request, ann)!;
  await b.links.stop();
  const again = await host("b", { a: a.links.port }, { member: b.member });
  await up(a, again);
  expect(a.links.vouched(header, request)).toBeUndefined();
  expect(b.links.vouch("a", request, ann)).toBeUndefined();
  const fresh = again.links.vouch("a", request, ann)!;
  expect(a.links.vouched(fresh, request)).toEqual(ann);
});
