/** A board at the end of a serial server: `rfc2217://host:port` with lines and rate, `socket://host:port` with bytes alone. */
import { connect } from "node:net";
import { problem } from "../problems.ts";
import { Rfc2217Client } from "./rfc2217.ts";
import type { Wire, WireListener } from "./wire.ts";

/** @throws {FlashProblem} no-port */
export async function openTcp(url: URL, baud: number, listener: WireListener): Promise<Wire> {
  const socket = connect({ host: hostOf(url), port: Number(url.port), noDelay: true });
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => refuse(new Error(`no answer in ${connectMs / 1000} s`)), connectMs);
    const refuse = (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      socket.destroy();
      reject(problem.unreachable(url.href, error.code ?? error.message));
    };
    socket.once("error", refuse);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.off("error", refuse);
      resolve();
    });
  });
  let closing = false;
  socket.on("error", () => undefined);
  socket.on("close", () => {
    if (!closing) listener.gone("the serial server closed the connection");
  });
  const write = (bytes: Uint8Array) =>
    new Promise<void>((resolve, reject) => {
      if (socket.destroyed) reject(new Error("the connection is closed"));
      else socket.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  const close = async () => {
    closing = true;
    if (socket.destroyed) return;
    // The server lets its port go when it has seen the end; who opens it next must not be told that it is in use.
    const timer = setTimeout(() => socket.destroy(), closeMs);
    await new Promise<void>((resolve) => {
      socket.once("close", () => resolve());
      socket.end();
    });
    clearTimeout(timer);
  };
  if (url.protocol === "socket:") {
    socket.on("data", (bytes: Buffer) => listener.data(bytes));
    const nothing = async () => undefined;
    return {
      hasLines: false,
      hasBaud: false,
      usb: undefined,
      write,
      setLines: nothing,
      setBaud: nothing,
      close,
    };
  }
  const telnet = new Rfc2217Client({ send: write, data: (bytes) => listener.data(bytes) });
  socket.on("data", (bytes: Buffer) => telnet.receive(bytes));
  await telnet.start(baud);
  return {
    hasLines: true,
    hasBaud: true,
    usb: undefined,
    write: (bytes) => telnet.write(bytes),
    setLines: (lines) => telnet.setLines(lines),
    setBaud: (rate) => telnet.setBaud(rate),
    close,
  };
}

const connectMs = 5000;
const closeMs = 500;

/** An address of version 6 stands in brackets in a URL. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}
