/** Where a simulated sensor's values come from. Reading costs nothing and never waits. */
export interface SensorSource {
  /** In the sensor's own unit; NaN when there is nothing to give. */
  read(): number;
}
