import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { makeAuthority, makeHostCertificate } from "../../../../host-tools/keys/authority.ts";
import { formatMember, type MemberSecrets } from "../../../../host-tools/security/member-file.ts";
import { nodeCiphers } from "../../../../host-tools/security/node-ciphers.ts";
import { kidOf } from "../../../../protocols/security/identity/credential.ts";
import { Permission } from "../../../../protocols/security/identity/scope.ts";
import { TestRoot } from "../../../members.ts";
import { launchBrowser } from "../browser.ts";
import { leaderUnderTest, temporaryFolder } from "../leader-under-test.ts";
import { memberOf, rootOf } from "../test-swarm.ts";
import { askAs, logIn, person } from "./people.ts";

const asking = { reach: { requireLogin: true } };

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

interface Opened {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the browser complains about, its security policy included; not that a request was answered 401. */
  readonly complaints: string[];
  /** Everything that the page sent. */
  readonly sent: string[];
}

async function open(url: string): Promise<Opened> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const [complaints, sent]: [string[], string[]] = [[], []];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("401")) complaints.push(message.text());
  });
  page.on("request", (request) =>
    sent.push(request.url(), request.postData() ?? "", ...Object.values(request.headers())),
  );
  await page.goto(url);
  return { page, context, complaints, sent };
}

function fileOf(member: MemberSecrets): string {
  const path = join(temporaryFolder(), `${member.identity.name}.json`);
  writeFileSync(path, formatMember(member));
  return path;
}

async function logInOn(page: Page, member: MemberSecrets): Promise<void> {
  await page.locator("#login").waitFor({ timeout: 5_000 });
  await page.getByLabel("File of your identity").setInputFiles(fileOf(member));
  await page.getByRole("button", { name: "Log in" }).click();
}

async function reads(page: Page, selector: string, text: string): Promise<void> {
  await page.locator(selector, { hasText: text }).first().waitFor({ timeout: 5_000 });
}

test("the page asks who is there, logs in with an identity's file, and the key stays in the browser", async () => {
  const leader = await leaderUnderTest(asking);
  const { page, context, complaints, sent } = await open(leader.url);
  await page.locator("#login").waitFor({ timeout: 5_000 });
  await reads(page, "#connection", "not logged in");
  expect(await page.locator("main").isVisible()).toBe(false);
  expect(await page.getByRole("button", { name: "Log in" }).isDisabled()).toBe(true);

  const otto = person("operator", "otto");
  await logInOn(page, otto);
  await reads(page, "#connection", "live");
  await reads(page, "#swarm", "greenhouse");
  await reads(page, "#who-name", "otto, operator");
  expect(await page.locator("#login").isVisible()).toBe(false);

  const field = page.getByLabel("fan.duty", { exact: true });
  await field.fill("42");
  await field.press("Enter");
  await reads(page, "#settings .answer", "agreed as entry");

  expect(sent.join("\n")).toContain(Buffer.from(otto.signed).toString("base64url"));
  expect(sent.join("\n")).not.toContain(Buffer.from(otto.privateKey).toString("base64url"));
  const kept = await page.evaluate(
    "JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }])",
  );
  expect(kept).toBe('["",{},{}]');
  const [cookie] = await context.cookies();
  expect(cookie).toMatchObject({ name: "covey-greenhouse-a", httpOnly: true, sameSite: "Strict" });
  expect(complaints).toEqual([]);

  // A second visit needs no file; a log-out leaves nothing.
  await page.reload();
  await reads(page, "#who-name", "otto, operator");
  await page.getByRole("button", { name: "Log out" }).click();
  await page.locator("#login").waitFor({ timeout: 5_000 });
  expect(await context.cookies()).toEqual([]);
  const token = cookie!.value;
  expect((await askAs(leader.url, token, "/api/session")).status).toBe(401);
});

test("over HTTPS it works the same", async () => {
  const authority = makeAuthority("greenhouse", Date.now());
  const tls = makeHostCertificate(authority, "a", [], Date.now());
  const member = { ...memberOf("greenhouse", "host", "a"), tls };
  const leader = await leaderUnderTest({ member, reach: { listen: "127.0.0.1" } });
  const { page, context, complaints } = await open(leader.url);
  await logInOn(page, person("viewer", "vera"));
  await reads(page, "#connection", "live");
  expect(await context.cookies()).toMatchObject([
    { name: "__Host-covey-greenhouse-a", httpOnly: true, secure: true, sameSite: "Strict" },
  ]);
  expect(complaints).toEqual([]);
});

test("what one may not do is not offered", async () => {
  const leader = await leaderUnderTest(asking);
  const { page } = await open(leader.url);
  const { read, write } = Permission;
  const scope = [
    { resource: "*", permissions: read },
    { resource: "door.*", permissions: write },
  ];
  await logInOn(page, person("operator", "dora", scope));
  await reads(page, "#settings .value", "20");
  expect(await page.getByRole("switch", { name: "door.lamp" }).isVisible()).toBe(true);
  expect(await page.getByLabel("fan.duty", { exact: true }).isVisible()).toBe(false);
});

test("a file that proves nothing is answered with a sentence, and another one can be chosen", async () => {
  const leader = await leaderUnderTest(asking);
  const { page, complaints } = await open(leader.url);
  await page.locator("#login").waitFor({ timeout: 5_000 });
  const notes = join(temporaryFolder(), "notes.json");
  writeFileSync(notes, '{"hello": "world"}');
  await page.getByLabel("File of your identity").setInputFiles(notes);
  await page.getByRole("button", { name: "Log in" }).click();
  await reads(page, "#login-answer", "notes.json holds no identity");
  await logInOn(page, new TestRoot("orchard").issue("viewer", "olga"));
  await reads(page, "#login-answer", "olga's identity is of orchard");
  await logInOn(page, new TestRoot("greenhouse").issue("admin", "eve"));
  await reads(page, "#login-answer", "That proves nothing here");
  await logInOn(page, person("viewer", "vera"));
  await reads(page, "#connection", "live");
  expect(complaints).toEqual([]);
});

test("one who is revoked while looking sees the question again", async () => {
  const leader = await leaderUnderTest(asking);
  const vera = person("viewer", "vera");
  const { page } = await open(leader.url);
  await logInOn(page, vera);
  await reads(page, "#connection", "live");
  const ann = await logIn(leader.url, person("admin", "ann"));
  const statement = rootOf("greenhouse").revoke(1, kidOf(nodeCiphers, vera.signed));
  const body = JSON.stringify({ statement: Buffer.from(statement).toString("base64url") });
  expect((await askAs(leader.url, ann, "/api/roster", { method: "POST", body })).status).toBe(200);
  await page.locator("#login").waitFor({ timeout: 10_000 });
  expect(await page.locator("main").isVisible()).toBe(false);
});

test("on this computer alone nobody is asked, and nobody is named", async () => {
  const leader = await leaderUnderTest();
  const { page } = await open(leader.url);
  await reads(page, "#connection", "live");
  expect(await page.locator("#who").isVisible()).toBe(false);
  expect(await page.locator("#login").isVisible()).toBe(false);
});

test("a phone shows the question without scrolling sideways", async () => {
  const leader = await leaderUnderTest(asking);
  const { page } = await open(leader.url);
  await page.setViewportSize({ width: 360, height: 740 });
  await page.locator("#login").waitFor({ timeout: 5_000 });
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(360);
  const card = (await page.locator("#login").boundingBox())!;
  for (const inside of await page.locator("#login :is(h2, p, input, button)").all()) {
    const box = await inside.boundingBox();
    if (box === null) continue;
    expect(box.x).toBeGreaterThanOrEqual(card.x);
    expect(box.x + box.width).toBeLessThanOrEqual(card.x + card.width);
  }
});
