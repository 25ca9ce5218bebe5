/** What is said of boards that were provisioned, and of one that was looked at. Never a key or a password. */
import { relative } from "node:path";
import { formatHosts } from "../../../protocols/messages/host-address.ts";
import type { FlashProblem } from "../../flasher/problems.ts";
import type { Holder } from "../../provisioner/board-settings.ts";
import type { ProvisionReport } from "../../provisioner/provision-board.ts";
import type { BoardReport } from "../../provisioner/provisioner.ts";
import type { Terminal } from "../terminal.ts";

export function tellBoard(terminal: Terminal, report: BoardReport): void {
  const { name, chip, kept, wasHalfProvisioned } = report;
  const before = wasHalfProvisioned ? "was half-provisioned; " : "";
  const stays =
    kept.length > 0 && report.outcome === "written"
      ? `; what else is kept there stays (${kept.join(", ")})`
      : "";
  terminal.line(
    `${terminal.style("bold", name)}  ${chip.label} ${chip.mac}  ${before}${outcomeText(report)}${stays}`,
  );
}

function outcomeText({ outcome, changedBytes, restarted, before, holder }: BoardReport): string {
  const start = restarted ? "it starts" : "press its RESET to start it";
  const count = changedBytes.toLocaleString("en-US");
  switch (outcome) {
    case "written":
      return `${count} bytes written and verified, ${start}`;
    case "planned":
      return holder === undefined
        ? "would be issued an identity, and given it"
        : `would get ${count} bytes${before === undefined ? "" : ` over those of ${before.name}`}`;
    default:
      return `holds all of it already; nothing was written, ${start}`;
  }
}

export function tellProblem(terminal: Terminal, problem: FlashProblem): void {
  for (const line of problem.problems) terminal.note(line);
}

export function jsonOf(report: BoardReport): object {
  return {
    ...report,
    holder: report.holder && holderJson(report.holder),
    before: report.before && holderJson(report.before),
  };
}

export function holderJson({ contact, ...holder }: Holder): object {
  return { ...holder, contact: contact && { ...contact, hosts: formatHosts(contact.hosts) } };
}

export function tellHolder(terminal: Terminal, report: ProvisionReport): void {
  const { chip, before: holder, wasHalfProvisioned, port } = report;
  const who = holder === undefined ? "no identity" : `${holder.name} of the swarm ${holder.swarm}`;
  terminal.line(`${terminal.style("bold", port)}  ${chip.label} ${chip.mac}  ${who}`);
  if (wasHalfProvisioned) terminal.line("  half-provisioned: the next covey provision finishes it");
  if (holder === undefined) return;
  const { role, kid, hasKey, hasAuthority, hasContactKey, contact } = holder;
  terminal.line(`  identity   ${kid}, ${role}${hasKey ? "" : ", without its private key"}`);
  const lacks = [
    ...(hasContactKey ? [] : ["the contact key"]),
    ...(hasAuthority ? [] : ["the authority (for TLS)"]),
  ];
  if (lacks.length > 0) terminal.line(`  has not    ${lacks.join(", ")}`);
  if (contact === undefined) {
    terminal.line("  contact    none: it waits until it is told one");
    return;
  }
  const { number, ssid, hosts, timeServer } = contact;
  terminal.line(`  contact    ${number === 0 ? "as provisioned" : `number ${number} of its swarm`}`);
  terminal.line(`  Wi-Fi      ${ssid ?? "none"}`);
  terminal.line(`  hosts      ${hosts.length === 0 ? "found by mDNS" : formatHosts(hosts)}`);
  if (timeServer !== undefined) terminal.line(`  time       ${timeServer}`);
}

/** As short as it can be said from here. */
export function shown(path: string): string {
  const short = relative("", path);
  return short.startsWith("..") ? path : short;
}
