/** The page of a swarm with many boards: rows, what stands first, and looking for some. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { SwarmDefinition } from "../../../host-tools/swarm-file/definition.ts";
import { launchBrowser } from "./browser.ts";
import { definition, type LeaderUnderTest, leaderUnderTest } from "./leader-under-test.ts";

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

/** So many boards, `gate-1` the first; their fellows of the usual swarm are among them. */
function withMany(count: number): SwarmDefinition {
  const own = Object.entries(definition.boards);
  const more = Array.from({ length: count - own.length }, (_, i) => [`gate-${i + 1}`, own[0]![1]] as const);
  return { ...definition, boards: Object.fromEntries([...more, ...own]) };
}

async function open(count: number): Promise<{ leader: LeaderUnderTest; page: Page; complaints: string[] }> {
  const leader = await leaderUnderTest({ definition: withMany(count) });
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(leader.url);
  await page.locator("#connection[data-state=live]").waitFor();
  return { leader, page, complaints };
}

const rowNames = (page: Page) => page.locator("#board-rows .name").allTextContents();
const row = (page: Page, name: string) => page.getByRole("button", { name: new RegExp(`^${name}\\b`) });

test("24 boards are cards, in the order of the swarm", async () => {
  const { page } = await open(24);
  await page.locator("#boards > li").nth(23).waitFor();
  expect(await page.locator("#boards h3").first().textContent()).toBe("gate-1");
  expect(await page.locator("#board-tools").isVisible()).toBe(false);
  expect(await page.locator("#board-rows").isVisible()).toBe(false);
});

test("more are rows, of which those that are down stand first and one opens by Enter", async () => {
  const { leader, page, complaints } = await open(25);
  await page.locator("#board-rows > li").nth(24).waitFor();
  expect(await page.locator("#boards > li").count()).toBe(0);
  const board = await leader.join("gate-1");
  board.report(100, [{ metric: "temperature", takenMs: 100, value: 21.54, quality: 0 }]);
  board.health({ heapUsedBytes: 46_080, heapPeakBytes: 50_000, arenaBytes: 94_208, outputs: [] });
  await expect.poll(async () => (await rowNames(page)).at(-1)).toBe("gate-1");
  expect((await rowNames(page))[0]).toBe("gate-2");

  const button = row(page, "gate-1");
  await button.focus();
  expect(await button.textContent()).toContain("temperature 21.5\u202f°C");
  expect(await button.getAttribute("aria-expanded")).toBe("false");
  await page.keyboard.press("Enter");
  expect(await button.getAttribute("aria-expanded")).toBe("true");
  const card = page.getByRole("group", { name: "gate-1" });
  await card.getByText("45 of 92 KiB").waitFor();
  await page.getByRole("meter", { name: "Heap of gate-1" }).waitFor();
  board.health({ heapUsedBytes: 47_104, heapPeakBytes: 50_000, arenaBytes: 94_208, outputs: [] });
  await card.getByText("46 of 92 KiB").waitFor();
  await page.keyboard.press("Enter");
  expect(await card.isVisible()).toBe(false);
  await page.keyboard.press("Home");
  expect(await page.evaluate("document.activeElement.textContent")).toContain("gate-2");
  expect(complaints).toEqual([]);
});

test("who is in a row keeps the focus when the row moves", async () => {
  const { leader, page } = await open(25);
  await row(page, "gate-1").focus();
  const board = await leader.join("gate-1");
  await expect.poll(async () => (await rowNames(page)).at(-1)).toBe("gate-1");
  expect(await page.evaluate("document.activeElement.textContent")).toContain("gate-1");
  board.cut();
  await expect.poll(async () => (await rowNames(page))[0]).toBe("gate-1");
  expect(await page.evaluate("document.activeElement.textContent")).toContain("gate-1");
});

test("a row does not move away from a pointer", async () => {
  const { leader, page } = await open(25);
  await row(page, "gate-1").hover();
  await leader.join("gate-1");
  await page.locator("#board-rows > li[data-state=fine]").waitFor();
  expect((await rowNames(page))[0]).toBe("gate-1");
});

test("boards are found by name and by state", async () => {
  const { leader, page } = await open(60);
  await leader.join("north-1");
  await page.getByRole("button", { name: "Fine 1", exact: true }).click();
  await expect.poll(() => rowNames(page)).toEqual(["north-1"]);
  expect(await page.locator("#board-count").textContent()).toBe("1 of 60 boards");
  await page.getByRole("button", { name: "All 60", exact: true }).click();

  const filter = page.getByRole("searchbox", { name: "Boards by name or state" });
  await filter.fill("GATE-5");
  await expect
    .poll(() => rowNames(page))
    .toEqual(["gate-5", ...[0, 1, 2, 3, 4, 5, 6, 7].map((n) => `gate-5${n}`)]);
  await filter.fill("down north");
  await expect.poll(() => rowNames(page)).toEqual(["north-2"]);
  await filter.fill("nothing so called");
  await expect.poll(() => rowNames(page)).toEqual([]);
  expect(await page.locator("#board-count").textContent()).toBe("0 of 60 boards");
});

test("of very many the worst are shown, and all when asked for", async () => {
  const { page } = await open(60);
  await expect.poll(async () => (await rowNames(page)).length).toBe(50);
  await page.getByRole("button", { name: "Show all 60" }).click();
  expect(await rowNames(page)).toHaveLength(60);
  expect(await page.evaluate("document.activeElement.textContent")).toContain("gate-51");
  expect(await page.locator("#board-more").isVisible()).toBe(false);
});

test("a phone shows rows without scrolling sideways", async () => {
  const { leader, page } = await open(40);
  await leader.join("north-1");
  await page.setViewportSize({ width: 360, height: 740 });
  await row(page, "north-1").click();
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(360);
});
