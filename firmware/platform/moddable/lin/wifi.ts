/** Stands in for `embedded:network/interface/wifi` on lin, where the computer's own network is up already. */
import type WiFi from "embedded:network/interface/wifi";
import Timer from "timer";

export default class LinWiFi implements WiFi {
  #connection = 200;
  readonly #onChanged: (property: string) => void;

  constructor(options: { onChanged?(property: string): void }) {
    this.#onChanged = options.onChanged ?? (() => undefined);
  }

  get connection(): number {
    return this.#connection;
  }

  connect(): void {
    this.#connection = 300;
    Timer.set(() => {
      this.#connection = 500;
      this.#onChanged("connection");
    }, 0);
  }

  /** There is none in the air. */
  scan({ onComplete }: { onComplete(): void }): void {
    Timer.set(onComplete, 0);
  }

  disconnect(): void {
    this.#connection = 200;
  }

  close(): void {}
}
