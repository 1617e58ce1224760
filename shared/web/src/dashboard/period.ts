// Periods: how they are named, and which units suit a range.
import type { Unit } from "./contract.ts";
import { date, day, fill, locale, texts } from "./locale.ts";
import { daysAfter } from "./range.tsx";
import words from "./texts/touchpoint.json";

const dayLength = 86_400_000;
const lengths: Record<Unit, number> = { day: 1, week: 7, month: 30.4, quarter: 91.3, year: 365.25 };
const all = Object.keys(lengths) as Unit[];
/** The most days that the API tells of in such units. */
const longest: Partial<Record<Unit, number>> = { day: 366, week: 3 * 366 };

/** How many days a range has. */
export function daysIn(from: string, to: string): number {
  return Math.round((day(to).getTime() - day(from).getTime()) / dayLength);
}

/** The units in which a range of so many days can be shown. */
export function unitsFor(days: number): Unit[] {
  return all.filter((u) => days <= (longest[u] ?? Infinity) && (days >= 2 * lengths[u] || u === "day"));
}

/** The unit that suits a range: 12 to 60 points where it has that many. */
export function unitFor(days: number): Unit {
  return days <= 45 ? "day" : days <= 200 ? "week" : days <= 5.1 * 365 ? "month" : "quarter";
}

/** The middle of a period, in seconds: where it is on a time line. */
export function middle(p: { from: string; to: string }): number {
  return (day(p.from).getTime() + day(p.to).getTime()) / 2000;
}

const formats = { fi: "fi-FI", sv: "sv-FI", en: "en-GB" };

/** A range of days, the last of which is the one before to: 1.–21.11.2026. */
export function rangeText(from: string, to: string): string {
  const f = new Intl.DateTimeFormat(formats[locale.value], { day: "numeric", month: "numeric", year: "numeric", timeZone: "UTC" });
  return f.formatRange(day(from), day(daysAfter(to, -1)));
}

/** The ISO 8601 number of the week that a day is in. */
function week(d: string): number {
  const thursday = day(daysAfter(d, 3 - ((day(d).getUTCDay() + 6) % 7)));
  return 1 + Math.floor((thursday.getTime() - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / (7 * dayLength));
}

/** A period by its name where it is a whole one, by its days where it is cut short. */
export function periodName(by: Unit, p: { from: string; to: string }): string {
  const whole = (step: number) => p.from.endsWith("-01") && p.to.endsWith("-01") && daysIn(p.from, p.to) > step;
  const t = texts(words);
  switch (by) {
    case "day":
      return date(p.from, { weekday: "short", day: "numeric", month: "numeric", year: "numeric" });
    case "week":
      return fill(t.week, { n: week(p.from), days: rangeText(p.from, p.to) });
    case "month":
      return whole(27) ? date(p.from, { month: "long", year: "numeric" }) : rangeText(p.from, p.to);
    case "quarter":
      return whole(88) ? quarterName(p.from) : rangeText(p.from, p.to);
    case "year":
      return whole(364) ? p.from.slice(0, 4) : rangeText(p.from, p.to);
  }
}

function quarterName(d: string): string {
  return fill(texts(words).quarter, { n: 1 + Math.floor(day(d).getUTCMonth() / 3), year: d.slice(0, 4) });
}

/** A period on an axis, short, without its year. */
export function tick(by: Unit, p: { from: string; to: string }): string {
  switch (by) {
    case "day":
    case "week":
      return date(p.from, { day: "numeric", month: "numeric" });
    case "month":
      return date(p.from, { month: "short" });
    case "quarter":
      return `Q${1 + Math.floor(day(p.from).getUTCMonth() / 3)}`;
    case "year":
      return p.from.slice(0, 4);
  }
}
