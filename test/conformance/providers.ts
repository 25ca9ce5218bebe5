/** Every provider of `protocols/security/ciphers.ts`, by name. The chip's runs over a model of the SDK's natives; `on-lin/prove.ts` runs it over those themselves. */
import { randomFillSync } from "node:crypto";
import { nodeCiphers } from "../../host-tools/security/node-ciphers.ts";
import type { Ciphers } from "../../protocols/security/ciphers.ts";
import { loadAdapter } from "../firmware/platform/moddable/adapter.ts";

const { ChipCiphers } = await loadAdapter();

export const providers: readonly (readonly [string, Ciphers])[] = [
  ["node:crypto", nodeCiphers],
  ["the Moddable SDK", new ChipCiphers({ fill: (into) => void randomFillSync(into) })],
];
