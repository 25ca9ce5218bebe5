/**
 * Dates by integer arithmetic, in the proleptic Gregorian calendar: a board has no use for `Date`, which allocates and knows a
 * time zone of its own. Days count from 1970-01-01.
 *
 * The algorithms are Howard Hinnant's, "chrono-Compatible Low-Level Date Algorithms": years begin in March, so that the leap
 * day is a year's last, and 400 years, of 146,097 days, are one era.
 */
export const minutesOfDay = 1_440;
export const millisecondsOfMinute = 60_000;

/** `days_from_civil`; `month` 1 to 12, `day` from 1. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** The year of a day: the first part of `civil_from_days`. */
export function yearOfDay(days: number): number {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  // From the 306th day after the first of March on it is January.
  return yearOfEra + era * 400 + (dayOfYear >= 306 ? 1 : 0);
}

/** 0 Sunday to 6 Saturday. */
export function weekdayOfDay(days: number): number {
  // 1970-01-01 was a Thursday.
  return (((days + 4) % 7) + 7) % 7;
}

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}
