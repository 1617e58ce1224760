// Languages, and how numbers and dates are written in them.
import { computed, signal } from "@preact/signals";
import type { Locale, Text } from "./contract.ts";

export const locales: readonly Locale[] = ["fi", "sv", "en"];
const formats: Record<Locale, string> = { fi: "fi-FI", sv: "sv-FI", en: "en-GB" };
const kept = "pulssi.locale";

function first(): Locale {
  const wanted = [localStorage.getItem(kept) ?? "", ...navigator.languages];
  for (const w of wanted) {
    const l = w.slice(0, 2).toLowerCase() as Locale;
    if (locales.includes(l)) return l;
  }
  return "en";
}

/** The language of the page. */
export const locale = signal<Locale>(first());

/** Changes the language and remembers it in this browser. */
export function setLocale(l: Locale): void {
  localStorage.setItem(kept, l);
  locale.value = l;
}

/** The texts of one area in the page's language: a file of the folder texts. */
export function texts<T>(area: Record<Locale, T>): T {
  return area[locale.value];
}

/** A text with what stands for {name} filled in. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}

/** A text by number: {one: "{n} answer", other: "{n} answers"}. */
export function count(forms: { one: string; other: string }, n: number): string {
  const rule = new Intl.PluralRules(formats[locale.value]).select(n) === "one" ? forms.one : forms.other;
  return fill(rule, { n: number(n) });
}

/** A text of the company's own, in the page's language or in the first one that it has. */
export function own(text: Text, order: string[] = []): string {
  return text[locale.value] ?? order.map((l) => text[l]).find(Boolean) ?? Object.values(text)[0] ?? "";
}

const whole = computed(() => new Intl.NumberFormat(formats[locale.value]));

/** A number, with so many decimals. */
export function number(n: number, decimals = 0): string {
  if (decimals === 0) return whole.value.format(n);
  return new Intl.NumberFormat(formats[locale.value], { minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(n);
}

/** A share in per cent, as the API rounded it; a dash for none. */
export function percent(n: number | null, decimals = 1): string {
  if (n === null) return "–";
  return new Intl.NumberFormat(formats[locale.value], { style: "percent", minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(n / 100);
}

/** A score as the API says that it is shown, with the language's own signs. */
export function shown(text: string): string {
  const comma = number(1.5, 1).charAt(1);
  return text.replace("-", "−").replace(".", comma);
}

/** A day of the reporting zone, "2026-11-21", as a moment that formats to the same day. */
export function day(date: string): Date {
  return new Date(date + "T00:00:00Z");
}

/** A day as people write it: 21.11.2026. */
export function date(d: string, options: Intl.DateTimeFormatOptions = { day: "numeric", month: "numeric", year: "numeric" }): string {
  return new Intl.DateTimeFormat(formats[locale.value], { ...options, timeZone: "UTC" }).format(day(d));
}

/** A moment (RFC 3339) in a zone: 21.11.2026 klo 12.05. */
export function moment(at: string, zone: string): string {
  return new Intl.DateTimeFormat(formats[locale.value], { dateStyle: "medium", timeStyle: "short", timeZone: zone }).format(new Date(at));
}
