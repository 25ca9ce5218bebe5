import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { launchBrowser } from "./browser.ts";
import { definition, eventually, leaderUnderTest } from "./leader-under-test.ts";

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

/** Opens a leader's page; what the browser complains about, its security policy included, is collected. */
async function open(
  url: string,
  colorScheme: "light" | "dark" = "light",
): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage({ colorScheme });
  onTestFinished(() => page.close());
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(url);
  return { page, complaints };
}

/** Waits until the page's text at `selector` contains `text`. */
async function reads(page: Page, selector: string, text: string): Promise<void> {
  await page.locator(selector, { hasText: text }).first().waitFor({ timeout: 15_000 });
}

test("the page shows the swarm as it is and as it changes", async () => {
  const leader = await leaderUnderTest();
  const { page, complaints } = await open(leader.url);
  await reads(page, "#connection", "live");
  await reads(page, "#swarm", "greenhouse");
  await reads(page, "#summary", "none of 3 boards connected");

  const board = await leader.join("north-1");
  const outputs = [{ name: "fan", value: 35, cause: "rule" }] as const;
  board.report(100, [{ metric: "temperature", takenMs: 100, value: 21.54, quality: 0 }]);
  board.health({ heapUsedBytes: 46_080, arenaBytes: 94_208, outputs });

  const card = "#boards > li:first-child";
  await reads(page, card, "connected");
  await reads(page, card, "21.5\u202f°C");
  await reads(page, card, "45 of 92 KiB");
  await reads(page, card, "held by a rule");
  await reads(page, card, "35\u202f%");
  await reads(page, `${card} .badge`, "voter");
  await eventually(() => leader.status().boards[0]!.appliedIndex === leader.status().leader.commitIndex);
  const { commitIndex } = leader.status().leader;
  await reads(page, card, `${commitIndex} of ${commitIndex}`);
  expect(await page.getByRole("meter", { name: "Heap of north-1" }).getAttribute("aria-valuenow")).toBe(
    "46080",
  );

  board.cut();
  await reads(page, card, "gone for");
  expect(complaints).toEqual([]);
});

test("a reading that is not good is named so, until a good one comes", async () => {
  const leader = await leaderUnderTest();
  const { page } = await open(leader.url);
  const board = await leader.join("north-1");
  const row = "#boards > li:first-child .readings li";
  for (const [quality, text] of [
    [2, "99.0\u202f°Cout of range"],
    [3, "99.0\u202f°Cstuck"],
    [4, "99.0\u202f°Clate"],
    [0, "99.0\u202f°C"],
  ] as const) {
    const atMs = 100 * (quality === 0 ? 9 : quality);
    board.report(atMs, [{ metric: "temperature", takenMs: atMs, value: 99, quality }]);
    await page.locator(`${row}[data-quality="${quality}"]`).waitFor({ timeout: 5_000 });
    expect(await page.locator(`${row} .value`).textContent()).toBe(text);
  }
  expect(await page.locator(`${row} .quality`).isVisible()).toBe(false);
});

test("a line shows what was measured before the page was opened", async () => {
  const leader = await leaderUnderTest();
  const board = await leader.join("north-1");
  const readings = [10, 12, 11, 15].map(
    (value, i) => ({ metric: "temperature", takenMs: i * 50, value, quality: 0 }) as const,
  );
  board.report(1_000, readings);
  await eventually(() => leader.status().boards[0]!.readings.length === 1);
  const { page } = await open(leader.url);
  await page.locator(".sparkline .line[d*=L]").waitFor({ state: "attached", timeout: 5_000 });
  const line = await page.locator(".sparkline .line").getAttribute("d");
  expect(line!.split("L")).toHaveLength(readings.length);
});

test("a setting is changed by keyboard alone, and a refusal is shown beside it", async () => {
  const leader = await leaderUnderTest();
  const { page } = await open(leader.url);
  const field = page.getByLabel("fan.duty", { exact: true });
  await field.focus();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type("140");
  await page.keyboard.press("Enter");
  await reads(page, "#settings .answer", "fan.duty takes 0 to 100 %; 140 is too high.");
  expect(await field.getAttribute("aria-invalid")).toBe("true");

  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type("42.5");
  await page.keyboard.press("Enter");
  await reads(page, "#settings .answer", "agreed as entry");
  await reads(page, "#settings .value", "42.5\u202f%");
  expect(leader.status().settings["fan.duty"]!.value).toBe(42.5);

  const lamp = page.getByRole("switch", { name: "door.lamp" });
  await lamp.focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("Enter");
  await eventually(() => leader.status().settings["door.lamp"]!.value === true);
});

test("a register is shown with whoever changed it, and says why it cannot be changed now", async () => {
  const names = { setpoint: { type: "number", unit: "°C", min: 5, max: 35, initial: 21 } } as const;
  const registers = { boards: Object.keys(definition.boards), names };
  const leader = await leaderUnderTest({ definition: { ...definition, registers } });
  const { page } = await open(leader.url);
  await reads(page, "#registers .value", "21\u202f°C");
  await reads(page, "#registers .quiet", "initial value");
  const field = page.getByLabel("setpoint", { exact: true });
  await field.fill("40");
  await page.keyboard.press("Enter");
  await reads(page, "#registers .answer", "setpoint takes a number from 5 to 35 °C, not 40.");
  await field.fill("30");
  await page.keyboard.press("Enter");
  await reads(page, "#registers .answer", "waiting for a majority of its boards");
  await reads(page, "#registers .answer", "none of its boards is connected to a host");
});

test("a register that holds a board's name is chosen among the boards that agree", async () => {
  const boards = Object.keys(definition.boards);
  const registers = { boards, names: { coordinator: { type: "coordinator" } } } as const;
  const leader = await leaderUnderTest({ definition: { ...definition, registers } });
  const { page } = await open(leader.url);
  await reads(page, "#registers .value", "nobody");
  const field = page.getByRole("combobox", { name: "coordinator" });
  expect(await field.locator("option").allTextContents()).toEqual(["nobody", ...boards]);
  await field.selectOption("south-1");
  await page.locator("#registers").getByRole("button", { name: "Set" }).click();
  await reads(page, "#registers .answer", "waiting for a majority of its boards");
});

test("what somebody else sets is shown, but does not take what is being typed", async () => {
  const leader = await leaderUnderTest();
  const { page } = await open(leader.url);
  await page.getByLabel("fan.duty", { exact: true }).fill("77");
  await leader.put("fan.duty", 12);
  await leader.put("door.text", "bye");
  await reads(page, "#settings .value", "12\u202f%");
  await reads(page, "#settings .value", "bye");
  expect(await page.getByLabel("fan.duty", { exact: true }).inputValue()).toBe("77");
  expect(await page.getByLabel("door.text").inputValue()).toBe("bye");
});

test("the page says when the leader is gone, and goes on by itself when it is back", async () => {
  const first = await leaderUnderTest();
  const { page } = await open(first.url);
  await reads(page, "#connection", "live");
  await first.stop();
  await reads(page, "#connection", "not reachable");
  await leaderUnderTest({ httpPort: first.httpPort, stateDir: first.stateDir });
  await page.locator("#connection[data-state=live]").waitFor({ timeout: 10_000 });
});

test.each(["light", "dark"] as const)(
  "text stands out enough from its ground in %s (WCAG 2.2, 1.4.3: 4.5 to 1)",
  async (scheme) => {
    const leader = await leaderUnderTest();
    await leader.join("north-1");
    const { page } = await open(leader.url, scheme);
    await reads(page, "#boards > li", "connected");
    const worst = await page.evaluate(worstContrast);
    expect(worst.ratio, worst.text).toBeGreaterThanOrEqual(4.5);
  },
);

test("a phone shows it without scrolling sideways", async () => {
  const leader = await leaderUnderTest();
  await leader.join("north-1");
  const { page } = await open(leader.url);
  await page.setViewportSize({ width: 360, height: 740 });
  await reads(page, "#boards > li", "connected");
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(360);
});

/** Runs in the page, as text: the least contrast between any text and the first opaque ground behind it. */
const worstContrast = `(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (colour) => {
    const [r, g, b] = rgba(colour).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    for (let at = node; at !== null; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (rgba(colour)[3] === 255) return colour;
    }
    return getComputedStyle(document.documentElement).backgroundColor;
  };
  let worst = { ratio: 21, text: "" };
  for (const node of document.querySelectorAll("body *")) {
    const text = [...node.childNodes].filter((child) => child.nodeType === 3).map((child) => child.data.trim()).join("");
    if (text === "" || !node.checkVisibility()) continue;
    const [a, b] = [luminance(getComputedStyle(node).color), luminance(ground(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst.ratio) worst = { ratio, text };
  }
  return worst;
})()` as unknown as () => { ratio: number; text: string };

test("what fires is shown, is acknowledged by a button, and goes when it is over", async () => {
  const alerts = {
    "too-hot": {
      kind: "threshold",
      metric: "temperature",
      when: "above",
      threshold: 30,
      hysteresis: 1,
      forMs: 0,
      boards: ["north-1"],
    },
  } as const;
  const leader = await leaderUnderTest({ definition: { ...definition, alerts } });
  const { page, complaints } = await open(leader.url);
  await reads(page, "#connection", "live");
  expect(await page.locator("#alerts").isVisible()).toBe(false);
  const board = await leader.join("north-1");
  board.report(100, [{ metric: "temperature", takenMs: 100, value: 31.5, quality: 0 }]);
  await reads(page, "#alerts", "too-hot on north-1: 31.5\u202f°C (temperature above 30 °C)");
  const button = page.getByRole("button", { name: "Acknowledge too-hot on north-1" });
  await button.click();
  await reads(page, "#alerts", "seen by local");
  expect(await button.isVisible()).toBe(false);
  expect((await page.evaluate(worstContrast)).ratio).toBeGreaterThanOrEqual(4.5);
  board.report(4_000, [{ metric: "temperature", takenMs: 4_000, value: 12, quality: 0 }]);
  await page.locator("#alerts").waitFor({ state: "hidden", timeout: 5_000 });
  expect(complaints).toEqual([]);
});
