/** Labels as they come out of a printer: drawn by Chromium, and read again by another decoder than the one that belongs to the encoder. */
import jsQR from "jsqr";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Label, labelSheet, labelText } from "../../../host-tools/provisioner/labels.ts";
import { launchBrowser } from "../leader/browser.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const label = (name: string, at: number): Label => ({
  ...{ swarm: "house", name, model: "esp32c3-devkit" },
  mac: `24:0a:c4:12:34:${(0x10 + at).toString(16)}`,
  identity: "0123456789abcdef",
});

const pixelsPerMm = 6;

/** The pixels of a rectangle, in mm. */
async function drawn(page: Page, x: number, y: number, size: number) {
  const clip = {
    x: x * pixelsPerMm,
    y: y * pixelsPerMm,
    width: size * pixelsPerMm,
    height: size * pixelsPerMm,
  };
  const png = (await page.screenshot({ clip })).toString("base64");
  const pixels = await page.evaluate<{ data: number[]; width: number; height: number }>(`(async () => {
    const image = await createImageBitmap(await (await fetch("data:image/png;base64,${png}")).blob());
    const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
    context.drawImage(image, 0, 0);
    const { data, width, height } = context.getImageData(0, 0, image.width, image.height);
    return { data: [...data], width, height };
  })()`);
  return { ...pixels, data: Uint8ClampedArray.from(pixels.data) };
}

/** How far the text of each label is beyond its edge, in pixels. */
const textBeyondEdge = `[...document.querySelectorAll("g")].map((group) => {
  const right = (element) => element.getBoundingClientRect().right;
  return Math.max(...[...group.querySelectorAll("text")].map(right)) - right(group.querySelector("rect"));
})`;

// Its types are those of an ES module, and it is none.
const decode = jsQR as unknown as typeof jsQR.default;

test("each has its name, and a code that says which board of which swarm it is", async () => {
  const labels = ["attic", "door", "the-long-corridor-behind-the-kitchen-upstairs", "gate"].map(label);
  const page = await browser.newPage({ viewport: { width: 210 * pixelsPerMm, height: 100 * pixelsPerMm } });
  const svg = labelSheet(labels).replace(
    'width="210mm" height="297mm"',
    `width="${210 * pixelsPerMm}" height="${297 * pixelsPerMm}"`,
  );
  await page.setContent(`<style>body{margin:0}svg{display:block}</style>${svg}`);
  for (const [i, each] of labels.entries()) {
    const x = 7.25 + (i % 3) * 66;
    const y = 12.9 + Math.floor(i / 3) * 33.9;
    const { data, width, height } = await drawn(page, x, y, 33);
    expect(decode(data, width, height)?.data).toBe(labelText(each));
  }
  expect(labelText(labels[0]!)).toBe("covey://house/attic?mac=240ac4123410&id=0123456789abcdef");
  for (const beyond of await page.evaluate<number[]>(textBeyondEdge)) expect(beyond).toBeLessThan(0);
  await page.close();
});

test("the twenty-fifth begins a second sheet below the first", () => {
  const svg = labelSheet(Array.from({ length: 25 }, (_, i) => label(`b${i}`, i)));
  expect(svg).toContain('viewBox="0 0 210 594"');
  expect(svg).toContain("translate(7.25 309.9)");
});

test("names are text and never markup", () => {
  expect(labelSheet([{ ...label("a", 1), model: "<b>&" }])).toContain("&lt;b&gt;&amp;");
});
