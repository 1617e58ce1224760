// Contacts, what was decided about them and what they were asked, as the API
// has them (functions/results/openapi.yaml), and how that is told.
import { fill, moment, texts } from "./locale.ts";
import { channelName } from "./metric.ts";
import words from "./texts/person.json";

export interface Contact {
  id: string;
  version: number;
  ref: string;
  email: string;
  phone: string;
  firstName: string;
  lastName: string;
  company: string;
  locale: string;
  zone: string;
  segments: string[];
  /** Since when, by channel. */
  optOuts: Partial<Record<"email" | "sms", string>>;
  createdAt: string;
  changedAt: string;
  lastAskedAt: string | null;
}

/** GET /api/contacts/{id}/why */
export interface Explanation {
  contact: Contact;
  /** The newest first. */
  decisions: Decision[];
  asks: Ask[];
}

export interface Decision {
  touchpoint: string;
  occasion: string;
  verdict: "planned" | "asked" | "refused";
  /** Of a refusal; empty otherwise. */
  reason: string;
  at: string | null;
  due: string | null;
  until: string | null;
  /** The touchpoint that the reason is about. */
  other: string;
  channel: string;
  /** All of it in English, for reasons of a version to come. */
  words: string;
}

export interface Ask {
  touchpoint: string;
  occasion: string;
  askedAt: string | null;
  sentAt: string | null;
  answered: boolean;
  score: number | null;
}

/** What a contact is called: a name, or else what there is. */
export function personName(c: Contact): string {
  return [c.firstName, c.lastName].filter(Boolean).join(" ") || c.company || c.email || c.phone || c.ref || c.id;
}

/** A channel within a sentence. */
export function channelText(channel: string): string {
  const t = texts(words).channels;
  return t[channel as keyof typeof t] ?? channelName(channel);
}

const reminder = "reminder/";

/** What an ask is about: the period of a cadence, or a business event with its id. */
export function occasionText(occasion: string): string {
  const t = texts(words);
  const about = occasion.startsWith(reminder) ? occasion.slice(reminder.length) : occasion;
  const slash = about.indexOf("/");
  if (slash >= 0) {
    const type = about.slice(0, slash);
    return fill(t.event, { event: t.events[type as keyof typeof t.events] ?? type, id: about.slice(slash + 1) });
  }
  const quarter = /^(\d{4})Q(\d)$/.exec(about);
  if (quarter) return fill(t.quarter, { year: quarter[1]!, n: quarter[2]! });
  const month = /^(\d{4})-(\d{2})$/.exec(about);
  return month ? fill(t.month, { year: month[1]!, n: Number(month[2]) }) : about;
}

/** A decision in a sentence, with times of the contact's zone; name tells what a touchpoint is called. */
export function decisionText(d: Decision, zone: string, name: (touchpoint: string) => string): string {
  const t = texts(words);
  const at = (m: string | null) => (m ? moment(m, zone) : "–");
  const reminds = d.occasion.startsWith(reminder);
  if (d.verdict === "planned") return fill(reminds ? t.willBeReminded : t.willBeAsked, { at: at(d.due), by: d.channel ? channelText(d.channel) : t.someChannel });
  if (d.verdict === "asked") return fill(reminds ? t.wasReminded : t.wasAsked, { at: at(d.at), by: d.channel ? channelText(d.channel) : t.someChannel });
  const reason = d.reason === "opted_out" && !d.until ? t.optedOut : t.reasons[d.reason as keyof typeof t.reasons];
  if (!reason) return d.words;
  const other = d.other === "" ? t.otherQuestion : d.other === d.touchpoint ? t.thisQuestion : fill(t.named, { name: name(d.other) });
  return fill(reminds ? t.notReminded : t.notAsked, { at: at(d.at), reason: fill(reason, { until: at(d.until), due: at(d.due), other }) });
}
