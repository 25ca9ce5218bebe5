/** A chip with an open port for one test; both go when the test is over. */
import { expect, onTestFinished } from "vitest";
import { type ChipOptions, EmulatedChip } from "./esp-chip.ts";
import { RawClient, words } from "./raw-client.ts";

export interface Attached {
  readonly chip: EmulatedChip;
  readonly url: string;
  readonly socketUrl: string;
}

export async function attach(options: Partial<ChipOptions> = {}): Promise<Attached> {
  const chip = new EmulatedChip({ chip: "esp32s3", flashBytes: 0x400000, ...options });
  onTestFinished(() => chip.close(), 5000);
  return { chip, ...(await chip.listen()) };
}

/** In the ROM's loader, after SYNC. */
export async function inRom(
  options: Partial<ChipOptions> = {},
): Promise<Attached & { readonly client: RawClient }> {
  const attached = await attach(options);
  const client = await RawClient.open(attached.url);
  onTestFinished(() => client.port.close());
  await startRom(client, attached.chip);
  await client.sync();
  return { ...attached, client };
}

/** Through the control lines into the ROM's loader, however long a busy machine takes for it. */
export async function startRom(client: RawClient, chip: EmulatedChip): Promise<void> {
  await client.enterDownload();
  await expect.poll(() => chip.mode).toBe("download");
}

/** In the stub. */
export async function inStub(
  options: Partial<ChipOptions> = {},
): Promise<Attached & { readonly client: RawClient }> {
  const attached = await inRom(options);
  await startStub(attached.client);
  return attached;
}

/** Sixteen bytes pass for a stub: what counts is that they lie where they are entered. */
export async function startStub(client: RawClient): Promise<void> {
  await client.ask(0x05, words(16, 1, 0x1800, stubEntry));
  await client.block(0x07, new Uint8Array(16).fill(0x11), 0);
  await client.ask(0x06, words(0, stubEntry));
  const greeting = Buffer.from(await client.packet()).toString("latin1");
  if (greeting !== "OHAI") throw new Error(`the stub said ${greeting}`);
}

export const stubEntry = 0x40378000;
