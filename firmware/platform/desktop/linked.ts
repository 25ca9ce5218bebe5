/**
 * What a simulated board has linked ahead of time, as a chip has both (`manifest.json` preloads its main as well): the core, and the
 * classes of its platform. What is loaded when the board starts would lie in its heap, four bytes for one.
 */
export * from "../../core.ts";
export { DesktopPorts } from "./ports.ts";
