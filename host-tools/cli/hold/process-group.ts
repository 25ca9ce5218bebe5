/** To all processes of a group; nothing when there are none any more. */
export function killGroup(group: number, signal: NodeJS.Signals): void {
  // 0 and 1 would be this process's own group, and everybody.
  if (!Number.isInteger(group) || group <= 1) return;
  try {
    process.kill(-group, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
