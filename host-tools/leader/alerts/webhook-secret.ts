/** The secret that signs what webhooks are told: from the environment or a file, never from `swarm.ts`. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export const webhookSecretVariable = "COVEY_WEBHOOK_SECRET";
/** In the swarm's folder of the state. */
export const webhookSecretFile = "webhook-secret";

/** Of Standard Webhooks: 24 to 64 bytes. */
const bytesMin = 24;
const bytesMax = 64;

export class WebhookSecretUnusable extends Error {
  override readonly name = "WebhookSecretUnusable";

  constructor(place: string, problem: string) {
    super(
      `The secret for webhooks in ${place} ${problem}; write whsec_ and what openssl rand -base64 32 prints.`,
    );
  }
}

/**
 * The environment's, or that of the file; undefined where there is neither.
 * @throws {WebhookSecretUnusable} for one that is no secret, or that others may read.
 */
export function readWebhookSecret(stateDir: string, environment: NodeJS.ProcessEnv): Uint8Array | undefined {
  const given = environment[webhookSecretVariable];
  if (given !== undefined && given !== "") return parseSecret(given, webhookSecretVariable);
  const file = join(stateDir, webhookSecretFile);
  const mode = statSync(file, { throwIfNoEntry: false })?.mode;
  if (mode === undefined) return undefined;
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    throw new WebhookSecretUnusable(file, `may be read by others (chmod 600 ${file})`);
  }
  return parseSecret(readFileSync(file, "utf8").trim(), file);
}

function parseSecret(text: string, place: string): Uint8Array {
  const base64 = text.startsWith("whsec_") ? text.slice("whsec_".length) : "";
  const bytes = Buffer.from(base64, "base64");
  if (bytes.toString("base64").replace(/=+$/, "") !== base64.replace(/=+$/, "")) {
    throw new WebhookSecretUnusable(place, "is not written as whsec_ and base64");
  }
  if (bytes.length < bytesMin || bytes.length > bytesMax) {
    throw new WebhookSecretUnusable(
      place,
      `has ${bytes.length} bytes, and ${bytesMin} to ${bytesMax} are wanted`,
    );
  }
  return Uint8Array.from(bytes);
}
