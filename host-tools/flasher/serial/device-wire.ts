/** A serial device of this computer: `/dev/ttyUSB0`, `/dev/cu.usbserial-0001`, `COM3`. */
import { SerialPort } from "serialport";
import { problem } from "../problems.ts";
import type { Lines, Wire, WireListener } from "./wire.ts";

export interface AttachedDevice {
  readonly path: string;
  readonly usb: { readonly vendorId: number; readonly productId: number };
  readonly serialNumber: string | undefined;
}

/** What is plugged into USB and is a serial port; none on a Linux without udev, which is what tells them. */
export async function attachedDevices(): Promise<AttachedDevice[]> {
  const devices: AttachedDevice[] = [];
  for (const { path, vendorId, productId, serialNumber } of await SerialPort.list().catch(() => [])) {
    if (vendorId === undefined || productId === undefined) continue;
    const usb = { vendorId: Number.parseInt(vendorId, 16), productId: Number.parseInt(productId, 16) };
    devices.push({ path, usb, serialNumber });
  }
  return devices;
}

/** @throws {FlashProblem} no-port, no-permission, port-busy */
export async function openDevice(path: string, baud: number, listener: WireListener): Promise<Wire> {
  const known = (await attachedDevices()).find((device) => device.path === path);
  // Without hang-up at close, the board is not reset when the port is let go.
  const port = new SerialPort({ path, baudRate: baud, autoOpen: false, hupcl: false });
  await new Promise<void>((resolve, reject) => {
    port.open((error) => (error ? reject(openProblem(path, error)) : resolve()));
  });
  let closing = false;
  port.on("data", (bytes: Buffer) => listener.data(bytes));
  port.on("error", () => undefined);
  port.on("close", (error: Error | null) => {
    if (!closing) listener.gone(error?.message ?? "closed");
  });
  // The system raised both when it opened the port, at once, which resets no board.
  let lines = { dtr: true, rts: true };
  // Both every time, and so in one step: serialport raises the one that it is not told.
  const setLines = ({ dtr = lines.dtr, rts = lines.rts }: Lines) => {
    lines = { dtr, rts };
    return settled((done) => port.set(lines, done));
  };
  // A pseudo-terminal, as some serial servers make them, has none.
  const hasLines = await setLines({ dtr: false, rts: false }).then(
    () => true,
    () => false,
  );
  return {
    hasLines,
    hasBaud: hasLines,
    usb: known?.usb,
    write: (bytes) =>
      settled((done) => {
        port.write(bytes);
        port.drain(done);
      }),
    setLines: hasLines ? setLines : async () => {},
    setBaud: (baudRate) => settled((done) => port.update({ baudRate }, done)),
    close: async () => {
      closing = true;
      if (port.isOpen) await new Promise<void>((resolve) => port.close(() => resolve()));
    },
  };
}

function settled(act: (done: (error: Error | null | undefined) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => act((error) => (error ? reject(error) : resolve())));
}

/** By what the three systems say: the message is all that the binding tells. */
export function openProblem(path: string, error: Error): Error {
  const said = error.message;
  if (/permission denied|EACCES|operation not permitted/i.test(said)) return problem.noPermission(path);
  // Windows denies access to a port that is open elsewhere.
  if (/busy|temporarily unavailable|cannot lock|access denied/i.test(said)) return problem.portBusy(path);
  return problem.noPort(path);
}
