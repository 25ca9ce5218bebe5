/** What lines say: levels, names, starts, and what to do about them. */
import { describe, expect, test } from "vitest";
import { BoardLog } from "../../../firmware/board/board-log.ts";
import type { System } from "../../../firmware/platform/ports.ts";
import { BootWatch } from "../../../host-tools/monitor/boot-watch.ts";
import { readLogLine } from "../../../host-tools/monitor/log-line.ts";
import { isWanted, portLabel, textLines } from "../../../host-tools/monitor/monitor-text.ts";
import { readReset } from "../../../host-tools/monitor/reset-reason.ts";
import { TypedLine } from "../../../host-tools/monitor/typed-line.ts";
import { chipTable } from "../../emulators/esp/chip-table.ts";
import { decode } from "./decoded.ts";

test("a line of our firmware: level, event, facts as they were given", () => {
  let console = "";
  const system = {
    log: (level: string, text: string) => (console += `${level}: ${text}`),
  } as unknown as System;
  new BoardLog(system).write(
    "warn",
    "link-lost",
    "host",
    "main",
    "reason",
    'it said "no"',
    "waitMs",
    500,
    "what",
    "",
  );
  expect(readLogLine(console)).toEqual({
    level: "warn",
    source: "board",
    event: "link-lost",
    text: `link-lost host=main reason="it said \\"no\\"" waitMs=500 what=""`,
    facts: { host: "main", reason: 'it said "no"', waitMs: "500", what: "" },
    uptimeMs: undefined,
  });
});

test.each([
  ["E (1234) wifi: no", { level: "error", source: "esp-idf", text: "wifi: no", uptimeMs: 1234 }],
  ["V (00:00:01.234) boot: hm", { level: "debug", source: "esp-idf", text: "boot: hm", uptimeMs: undefined }],
  [
    "# Exception: no value! (main.js:12)",
    { level: "warn", source: "xs", text: "exception: no value! (main.js:12)" },
  ],
  ["information: none", { level: undefined, source: undefined, text: "information: none" }],
])("%s", (line, expected) => {
  expect(readLogLine(line)).toMatchObject(expected);
});

test("a board's name is known from its first line that names its member, and from no other's", () => {
  const { events, session } = decode("info: network-up\ninfo: x=1 member=\ninfo: removed member=../etc.1\n");
  expect(session.boardName).toBeUndefined();
  expect(events.length).toBe(3);
  session.hear(Buffer.from("info: joined host=main member=north-1.4f1c term=3\n"), 0);
  expect(session.boardName).toBe("north-1");
});

test("an image for the debugger is read through what it wraps its lines in", () => {
  const { events } = decode(
    '\r\n<?xs.3FCA1B2C?>\r\n<xsbug><log>info: joined member=north-1.4f1c&#10;</log></xsbug>\r\n<?xs.3FCA1B2C?><xsbug><login name="covey" value="XS"/></xsbug>\r\n' +
      '<?xs.3FCA1B2C?><xsbug><log path="/x/main.js" line="12"># Exception: a &lt; b!&#10;</log></xsbug>\r\n',
  );
  expect(events).toMatchObject([
    { kind: "line", level: "info", event: "joined" },
    { kind: "line", level: "warn", text: "exception: a < b! (main.js:12)" },
  ]);
});

describe("starts", () => {
  const kinds = {
    "power-on": "power",
    pin: "power",
    software: "software",
    watchdog: "watchdog",
    "brown-out": "brown-out",
  };

  test.each(Object.entries(chipTable))("%s: its ROM's reasons in words", (_chip, { causes }) => {
    for (const [cause, name] of Object.entries(causes)) {
      const reset = readReset(`rst:${name},boot:0x8 (SPI_FAST_FLASH_BOOT)`);
      expect([cause, reset?.kind]).toEqual([cause, kinds[cause as keyof typeof kinds]]);
    }
  });

  test.each([
    ["RTCWDT_RTC_RESET", "watchdog"],
    ["DEEPSLEEP_RESET", "sleep"],
    ["DSLEEP", "sleep"],
    ["USB_UART_CHIP_RESET", "usb"],
    ["RTC_SW_SYS_RST", "software"],
    ["GLITCH_RTC_RESET", "brown-out"],
    ["INTRUSION_RESET", "other"],
  ])("%s", (name, kind) => {
    expect(readReset(`rst:0x9 (${name}),boot:0x13 (X)`)).toMatchObject({
      kind,
      name,
      code: 9,
      toLoader: false,
    });
  });

  test("three for one reason within a minute are a loop, said once; sleeping is none", () => {
    const watch = new BootWatch();
    const crash = readReset("rst:0xc (SW_CPU_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)")!;
    const said = [0, 40_000, 61_000, 70_000, 80_000].map((atMs) =>
      watch.started(crash, atMs).map(({ code }) => code),
    );
    expect(said).toEqual([[], [], [], ["boot-loop"], []]);
    const sleeper = new BootWatch();
    const woken = readReset("rst:0x5 (DEEPSLEEP_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)")!;
    expect([0, 1000, 2000, 3000].flatMap((atMs) => sleeper.started(woken, atMs))).toEqual([]);
  });

  test("a brown-out, a watchdog, a loader that waits and an empty flash each have a remedy", () => {
    const { events } = decode(
      "rst:0xf (BROWNOUT_RST),boot:0x8 (SPI_FAST_FLASH_BOOT)\nrst:0x7 (TG0WDT_SYS_RST),boot:0x8 (SPI_FAST_FLASH_BOOT)\n" +
        "rst:0x1 (POWERON),boot:0x5 (DOWNLOAD(USB/UART0))\ninvalid header: 0xffffffff\ninvalid header: 0xffffffff\n",
    );
    const advice = events.flatMap((event) => (event.kind === "advice" ? [event.code] : []));
    expect(advice).toEqual(["brown-out", "watchdog", "in-loader", "no-program"]);
  });
});

describe("on a terminal", () => {
  const at = new Date(2026, 10, 23, 7, 5, 4, 3).toISOString();
  const options = {
    paint: (_: string, text: string) => text,
    showTime: true,
    name: "north-1",
    nameWidth: 9,
    index: 0,
  };
  const event = { at, port: "/dev/ttyUSB0", board: undefined } as const;

  test("a line stands behind its time, board and level; a block below its first line", () => {
    const line = { ...event, kind: "line", level: "warn", text: "link-lost" } as const;
    expect(textLines(line, options)).toEqual(["07:05:04.003  north-1    warn   link-lost"]);
    const crash = {
      ...event,
      kind: "crash",
      source: "xs",
      text: "gave up",
      frames: [],
      notes: ["Mend it."],
      registers: {},
      lines: [],
    } as const;
    expect(textLines(crash, options)).toEqual([
      "07:05:04.003  north-1    crash  gave up",
      "              north-1    |        Mend it.",
    ]);
  });

  test("a level hides what weighs less, and no crash", () => {
    const of = (level: "debug" | "info" | "warn" | undefined) =>
      ({ ...event, kind: "line", level, text: "x" }) as const;
    expect(
      [of("debug"), of("info"), of(undefined), of("warn")].map((each) => isWanted(each, "warn")),
    ).toEqual([false, false, false, true]);
    expect(isWanted({ ...event, kind: "noise", text: "" }, "warn")).toBe(true);
    expect(isWanted({ ...event, kind: "noise", text: "" }, "error")).toBe(false);
  });

  test("a port without a name is called by what tells it from others", () => {
    expect(["/dev/ttyUSB0", "COM3", "rfc2217://192.0.2.20:2217"].map(portLabel)).toEqual([
      "ttyUSB0",
      "COM3",
      "192.0.2.20:2217",
    ]);
  });

  test("typing: lines, backspace, keys that are no characters, and the end", () => {
    const typed = new TypedLine();
    expect(typed.type("stax\x7ftus")).toEqual({ lines: [], quits: false });
    expect(typed.type("\x1b[A")).toEqual({ lines: [], quits: false });
    expect(typed.text).toBe("status");
    expect(typed.type("\rab\x15c")).toEqual({ lines: ["status"], quits: false });
    expect(typed.text).toBe("c");
    expect(typed.type("\x1d")).toEqual({ lines: [], quits: true });
  });
});
