/** Binding a port, with a refusal that says which port and what to do. */
import type { Server } from "node:net";

export type PortPurpose = "MQTT" | "HTTP" | "peer";

export interface ListenOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** What it is for; also the name of its option, in small letters. */
  readonly purpose: PortPurpose;
}

export class PortUnavailable extends Error {
  override readonly name = "PortUnavailable";
  readonly port: number;
  readonly purpose: string;

  constructor(purpose: PortPurpose, port: number, code: string | undefined, cause: Error) {
    super(explain(purpose, port, code, cause), { cause });
    this.port = port;
    this.purpose = purpose;
  }
}

/** Resolves once `server` accepts connections. @throws {PortUnavailable} */
export function listen(server: Server, { host, port, purpose }: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) =>
      reject(new PortUnavailable(purpose, port, error.code, error));
    server.once("error", fail);
    server.listen({ host, port }, () => {
      server.removeListener("error", fail);
      resolve();
    });
  });
}

/** The port that a listening server was given. */
export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new Error("The server does not listen on a port.");
  return address.port;
}

const words: Readonly<Record<PortPurpose, string>> = { MQTT: "MQTT", HTTP: "HTTP", peer: "the other hosts" };

function explain(purpose: PortPurpose, port: number, code: string | undefined, cause: Error): string {
  const option = `--${purpose.toLowerCase()}-port`;
  if (code === "EADDRINUSE") {
    return `Port ${port} for ${words[purpose]} is in use by another program; stop that program or choose another port with ${option} (0 takes any free one).`;
  }
  if (code === "EACCES") {
    return `Port ${port} for ${words[purpose]} may not be opened by this user; choose one above 1023 with ${option}.`;
  }
  if (code === "EADDRNOTAVAIL") {
    return `This computer does not have the address that it was to listen at (${cause.message}); give one of its own with --listen.`;
  }
  return `Port ${port} for ${words[purpose]} could not be opened (${cause.message}); choose another with ${option}.`;
}
