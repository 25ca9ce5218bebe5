/** Alerts as lines of a terminal: for `covey alerts` and `covey status`. */
import type { AlertStatus, AlertsAnswer } from "../leader/api/types/alerts.ts";
import { printable } from "./live-view/table.ts";
import type { Terminal } from "./terminal.ts";

/** One that fires, in a line: `too-hot fires on north-1: 31.2 °C (temperature above 28 °C), since 09:12:03, seen by anna`. */
export function firingLine(alert: AlertStatus, terminal: Pick<Terminal, "style">): string {
  const text = `${alert.alert} fires on ${alert.board}: ${details(alert)}`;
  return terminal.style(alert.acknowledgedBy === undefined ? "red" : "yellow", printable(text));
}

export function alertLines(
  { alerts, watched, webhooks }: AlertsAnswer,
  terminal: Pick<Terminal, "style">,
): string[] {
  const lines = alerts.map((alert) => {
    if (alert.phase === "firing") return firingLine(alert, terminal);
    if (alert.phase === "pending") {
      return printable(`${alert.alert} is pending on ${alert.board}: ${details(alert)}`);
    }
    const until = timeText(alert.untilMs!);
    const text = `${alert.alert} is over on ${alert.board} since ${until}: fired from ${timeText(alert.sinceMs)}`;
    return terminal.style("dim", printable(text));
  });
  const firing = alerts.filter(({ phase }) => phase === "firing").length;
  const fires = firing === 0 ? "nothing fires" : `${firing} ${firing === 1 ? "fires" : "fire"}`;
  lines.push(`${watched} ${watched === 1 ? "alert" : "alerts"} watched, ${fires}.`);
  for (const { place, problem } of webhooks) {
    if (problem !== undefined)
      lines.push(terminal.style("red", printable(`The webhook at ${place} is not told: ${problem}.`)));
  }
  return lines;
}

function details({ value, unit, condition, sinceMs, acknowledgedBy }: AlertStatus): string {
  const seen = acknowledgedBy === undefined ? "" : `, seen by ${acknowledgedBy}`;
  return `${value}${unit === "" ? "" : ` ${unit}`} (${condition}), since ${timeText(sinceMs)}${seen}`;
}

/** On this computer's clock; with its day where that is not today. */
function timeText(ms: number): string {
  const date = new Date(ms);
  const pad = (count: number) => String(count).padStart(2, "0");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(pad).join(":");
  const day = [date.getFullYear(), pad(date.getMonth() + 1), pad(date.getDate())].join("-");
  return date.toDateString() === new Date().toDateString() ? time : `${day} ${time}`;
}
