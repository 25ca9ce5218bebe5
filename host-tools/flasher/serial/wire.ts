/** One end of a serial line, whatever carries it: a device of this computer, or a serial server on the network. */
export interface Wire {
  /** DTR and RTS reach the board, so that it can be reset from here. */
  readonly hasLines: boolean;
  /** The rate can be changed from here. */
  readonly hasBaud: boolean;
  /** Of a device on USB, as far as it tells. */
  readonly usb: { readonly vendorId: number; readonly productId: number } | undefined;
  /** Resolves when the bytes left. */
  write(bytes: Uint8Array): Promise<void>;
  /** What is undefined stays as it is. */
  setLines(lines: Lines): Promise<void>;
  setBaud(baud: number): Promise<void>;
  close(): Promise<void>;
}

export interface Lines {
  readonly dtr?: boolean | undefined;
  readonly rts?: boolean | undefined;
}

export interface WireListener {
  data(bytes: Uint8Array): void;
  /** The other end went away by itself; nothing follows. */
  gone(reason: string): void;
}
