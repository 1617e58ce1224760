// The form of a touchpoint: what is asked, of whom, when, and how it looks.
// What a definition has beside that stays as it is.
import type { ComponentChildren, VNode } from "preact";
import { useRef, useState } from "preact/hooks";
import type { Category, Metric } from "./contract.ts";
import { at, channelsOf, localesOf, put, withMetric, withoutLocale, type Doc } from "./draft.ts";
import { ChoiceField, LinesField, NumberField, PlainField, SpanField, TextsField, TickField, TicksField, idOf, useForm } from "./fields.tsx";
import { fill, texts } from "./locale.ts";
import { bounds, categories, categoryName, channelName, languageName } from "./metric.ts";
import { eventName, fieldName, weekday, weekdays } from "./rules.ts";
import { metricName } from "./score.tsx";
import rules from "./texts/rules.json";
import words from "./texts/settings.json";

export const phases = ["before", "during", "after", "leaving"] as const;
export const metrics: readonly Metric[] = ["nps", "csat", "ces", "ces5", "smiley", "thumbs"];
const channels = ["email", "sms", "widget", "link", "app", "kiosk", "agent"];
const variables = "{firstName} {company} {about} {date}";

/** The limits of texts, as the API holds them. */
const most = { name: 100, text: 500 };

function Section(props: { id: string; title: string; about?: string; children: ComponentChildren }): VNode {
  return (
    <section class="card part" aria-labelledby={`part-${props.id}`}>
      <h2 id={`part-${props.id}`}>{props.title}</h2>
      {props.about && <p class="soft">{props.about}</p>}
      {props.children}
    </section>
  );
}

export function SettingsForm(): VNode {
  const { doc } = useForm();
  const has = (c: string) => channelsOf(doc).includes(c);
  return (
    <div class="parts">
      <div>
        <Basics />
        <Question />
        <Channels />
      </div>
      <div>
        {(has("email") || has("sms") || doc.trigger !== undefined) && <When />}
        {(has("email") || has("sms") || doc.message !== undefined) && <Messages sms={has("sms")} email={has("email")} />}
        {(has("widget") || doc.widget !== undefined) && <Popup />}
      </div>
    </div>
  );
}

function Basics(): VNode {
  const t = texts(words);
  const { doc, change } = useForm();
  const metric = doc.metric as Metric;
  const [low, high] = bounds(metric);
  return (
    <Section id="basics" title={t.basics}>
      <TextsField path="name" label={fieldName("name")} hint={t.nameAbout} most={most.name} required />
      <div class="row">
        <ChoiceField path="phase" label={fieldName("phase")} options={phases.map((p) => [p, texts(rules).values.phase[p]])} />
        <ChoiceField path="metric" label={fieldName("metric")} hint={t.metricAbout} options={metrics.map((m) => [m, metricName(m)])} set={(m) => change((d) => withMetric(d, m as Metric))} />
        <NumberField path="goal" label={fieldName("goal")} hint={fill(t.goalAbout, { low: String(low).replace("-", "−"), high })} />
      </div>
      <Languages />
      <TickField path="stopped" label={t.stop} hint={t.stopAbout} />
    </Section>
  );
}

const offered = ["fi", "sv", "en"];

/** The languages that are asked in. */
function Languages(): VNode {
  const t = texts(words);
  const { doc, change, problems } = useForm();
  const [other, setOther] = useState("");
  const locales = localesOf(doc);
  const add = (l: string) => change((d) => put(d, "locales", [...localesOf(d), l]));
  const wrong = problems.filter((p) => p.field.startsWith("locales"));
  const id = idOf("locales");
  return (
    <fieldset class="field ticks" id={id} tabIndex={-1} aria-describedby={`${id}-hint${wrong.length > 0 ? ` ${id}-wrong` : ""}`}>
      <legend>{fieldName("locales")}</legend>
      <div>
        {[...new Set([...offered, ...locales])].map((l) => (
          <label key={l} class="tick">
            <input type="checkbox" checked={locales.includes(l)} onChange={(e) => (e.currentTarget.checked ? add(l) : change((d) => withoutLocale(d, l)))} />
            <span>{languageName(l)}</span>
          </label>
        ))}
        <span class="span">
          <input type="text" class="short" aria-label={t.otherLanguage} placeholder="et" autoComplete="off" spellcheck={false} value={other} onInput={(e) => setOther(e.currentTarget.value)} />
          <button
            type="button"
            disabled={!other.trim() || locales.includes(other.trim())}
            onClick={() => {
              add(other.trim());
              setOther("");
            }}
          >
            {t.addLanguage}
          </button>
        </span>
      </div>
      <span class="hint" id={`${id}-hint`}>
        {t.languagesAbout}
      </span>
      {wrong.length > 0 && (
        <span class="wrong" id={`${id}-wrong`}>
          {t.wrongLanguage}
        </span>
      )}
    </fieldset>
  );
}

function Question(): VNode {
  const t = texts(words);
  const { doc } = useForm();
  const metric = doc.metric as Metric;
  return (
    <Section id="question" title={t.question}>
      <TextsField path="question" label={fieldName("question")} hint={t.questionAbout} most={most.text} rows={3} required />
      <TextsField path="low" label={fieldName("low")} most={most.name} />
      <TextsField path="high" label={fieldName("high")} most={most.name} />
      <h3>{t.followups}</h3>
      <p class="soft">{t.followupsAbout}</p>
      {categories(metric).map((c: Category) => (
        <TextsField key={c} path={`followup.${c}`} label={fill(t.followupOf, { who: categoryName(metric, c) })} most={most.text} rows={2} />
      ))}
      <TextsField path="thanks" label={fieldName("thanks")} most={most.text} rows={2} />
    </Section>
  );
}

function Channels(): VNode {
  const t = texts(words);
  const { doc, change } = useForm();
  // What belongs to a channel alone goes with it, and comes back with it.
  const gone = useRef<Doc>({});
  const turn = (d: Doc, path: string, there: boolean) => {
    const v = at(d, path);
    if (!there && v !== undefined) gone.current[path] = v;
    return there ? put(d, path, v ?? gone.current[path]) : put(d, path, undefined);
  };
  const choose = (chosen: string[]) =>
    change((d) => turn(turn(put(d, "channels", chosen), "widget", chosen.includes("widget")), "message.reply", chosen.includes("sms")));
  const posted = channelsOf(doc).some((c) => c === "widget" || c === "app");
  return (
    <Section id="channels" title={t.channels}>
      <TicksField path="channels" label={fieldName("channels")} hint={t.channelsAbout} options={channels.map((c) => [c, channelName(c)])} set={choose} />
      {(posted || doc.origins !== undefined) && <LinesField path="origins" label={fieldName("origins")} hint={t.originsAbout} />}
      {(posted || doc.segments !== undefined) && <LinesField path="segments" label={fieldName("segments")} hint={t.segmentsAbout} format={formatSegments} parse={parseSegments} />}
    </Section>
  );
}

function formatSegments(v: unknown): string {
  return Object.entries((v ?? {}) as Record<string, string[]>)
    .map(([name, values]) => `${name}: ${values.join(", ")}`)
    .join("\n");
}

function parseSegments(s: string): unknown {
  const out: Record<string, string[]> = {};
  for (const line of s.split("\n")) {
    const [name = "", ...rest] = line.split(":");
    const values = rest.join(":").split(",").map((v) => v.trim()).filter(Boolean);
    if (name.trim()) out[name.trim()] = [...(out[name.trim()] ?? []), ...values];
  }
  return Object.keys(out).length > 0 ? out : undefined;
}

type Kind = "" | "event" | "every";

function When(): VNode {
  const t = texts(words);
  const { doc, change } = useForm();
  const trigger = (doc.trigger ?? {}) as Doc;
  const kind: Kind = "event" in trigger ? "event" : "every" in trigger ? "every" : "";
  // What was chosen before comes back where it is chosen again.
  const before = useRef<Partial<Record<Kind, Doc>>>({});
  const turn = (to: Kind) => {
    before.current[kind] = trigger;
    const { event: _e, delay: _d, when: _w, every: _y, spread: _s, on: _o, ...common } = trigger;
    const fresh: Doc = to === "event" ? { event: "purchase.completed", delay: "1d" } : { every: "quarter" };
    change((d) => put(d, "trigger", to === "" ? undefined : (before.current[to] ?? { ...fresh, ...common })));
  };
  const spread = trigger.spread !== false;
  const conditions = Array.isArray(trigger.when) ? (trigger.when as Doc[]) : [];
  return (
    <Section id="when" title={t.when} about={t.whenAbout}>
      <ChoiceField
        path="trigger"
        label={t.trigger}
        value={kind}
        covers={(f) => f === "trigger.when" || f.startsWith("trigger.when.") || f === "trigger.spread"}
        options={[
          ["", t.triggers.none],
          ["event", t.triggers.event],
          ["every", t.triggers.every],
        ]}
        set={(v) => turn(v as Kind)}
      />
      {kind === "event" && (
        <>
          <div class="row">
            <ChoiceField path="trigger.event" label={fieldName("trigger.event")} options={events(trigger.event).map((e) => [e, eventName(e)])} />
            <SpanField path="trigger.delay" label={fieldName("trigger.delay")} unit="d" />
          </div>
          {conditions.length > 0 && (
            <p class="note">
              {t.conditions} {conditions.map(conditionText).join("; ")}
            </p>
          )}
        </>
      )}
      {kind === "every" && (
        <div class="row">
          <ChoiceField path="trigger.every" label={fieldName("trigger.every")} options={(["month", "quarter", "year"] as const).map((e) => [e, texts(rules).values["trigger.every"][e]])} />
          <ChoiceField
            path="trigger.spread"
            label={fieldName("trigger.spread")}
            value={spread ? "true" : "false"}
            options={[
              ["true", t.spread],
              ["false", t.oneDay],
            ]}
            set={(v) => change((d) => (v === "true" ? put(put(d, "trigger.spread", undefined), "trigger.on", undefined) : put(d, "trigger.spread", false)))}
          />
          {(!spread || trigger.on !== undefined) && <PlainField path="trigger.on" label={fieldName("trigger.on")} hint={t.onAbout[trigger.every as "month"] ?? t.onAbout.month} />}
        </div>
      )}
      {kind !== "" && (
        <>
          <div class="row">
            <ChoiceField
              path="trigger.hour"
              label={fieldName("trigger.hour")}
              hint={t.hourAbout}
              options={[["", kind === "every" ? t.usualHour : t.anyHour], ...Array.from({ length: 23 }, (_, i): [string, string] => [String(i + 1), fill(t.hour, { n: i + 1 })])]}
              set={(v) => change((d) => put(d, "trigger.hour", v === "" ? undefined : Number(v)))}
            />
            <NumberField path="trigger.sample" label={fieldName("trigger.sample")} hint={t.sampleAbout} />
            <SpanField path="trigger.reminder" label={fieldName("trigger.reminder")} hint={t.reminderAbout} unit="d" />
          </div>
          <TicksField path="trigger.weekdays" label={fieldName("trigger.weekdays")} hint={t.weekdaysAbout} options={weekdays.map((d) => [d, weekday(d)])} />
          <LinesField path="trigger.segments" label={fieldName("trigger.segments")} hint={t.askedSegmentsAbout} />
        </>
      )}
      <div class="row">
        <SpanField path="recontact" label={fieldName("recontact")} hint={t.recontactAbout} unit="d" />
        <SpanField path="rest" label={fieldName("rest")} hint={t.restAbout} unit="d" />
      </div>
    </Section>
  );
}

/** The business events, and the one that a definition has. */
function events(chosen: unknown): string[] {
  const known = Object.keys(texts(rules).events);
  return typeof chosen !== "string" || known.includes(chosen) ? known : [...known, chosen];
}

function conditionText(c: Doc): string {
  const parts = [Array.isArray(c.in) && `= ${c.in.join(" / ")}`, c.min !== undefined && `≥ ${String(c.min)}`, c.max !== undefined && `≤ ${String(c.max)}`];
  return `${String(c.field)} ${parts.filter(Boolean).join(", ")}`;
}

function Messages(props: { email: boolean; sms: boolean }): VNode {
  const t = texts(words);
  const { doc } = useForm();
  const show = (path: string, there: boolean) => there || at(doc, path) !== undefined;
  return (
    <Section id="messages" title={t.messages} about={fill(t.messagesAbout, { variables })}>
      {show("message.subject", props.email) && <TextsField path="message.subject" label={fieldName("message.subject")} most={most.name} />}
      {show("message.preheader", props.email) && <TextsField path="message.preheader" label={fieldName("message.preheader")} hint={t.preheaderAbout} most={most.name} />}
      {show("message.opening", props.email) && <TextsField path="message.opening" label={fieldName("message.opening")} hint={t.openingAbout} most={most.text} rows={2} />}
      {show("message.news", props.email) && <TextsField path="message.news" label={fieldName("message.news")} hint={t.newsAbout} most={most.text} rows={2} />}
      {show("message.sms", props.sms) && <TextsField path="message.sms" label={fieldName("message.sms")} hint={t.smsAbout} most={most.text} rows={2} />}
      {show("message.reply", props.sms) && <TickField path="message.reply" label={t.reply} hint={t.replyAbout} />}
    </Section>
  );
}

/** The popup's own colour, where a touchpoint names none. */
const usualColor = "#1f5fd0";

function Popup(): VNode {
  const t = texts(words);
  const { doc, change } = useForm();
  const w = (doc.widget ?? {}) as Doc;
  const color = /^#[0-9a-f]{6}$/i.test(String(w.color ?? "")) ? String(w.color) : usualColor;
  return (
    <Section id="popup" title={t.popup} about={t.popupAbout}>
      <LinesField path="widget.include" label={fieldName("widget.include")} hint={t.includeAbout} />
      <LinesField path="widget.exclude" label={fieldName("widget.exclude")} hint={t.excludeAbout} />
      <TickField path="widget.exit" label={t.exit} hint={t.exitAbout} />
      <div class="row">
        {w.exit !== true && <SpanField path="widget.delay" label={fieldName("widget.delay")} unit="s" />}
        <NumberField path="widget.scroll" label={fieldName("widget.scroll")} hint={t.scrollAbout} />
        <NumberField path="widget.views" label={fieldName("widget.views")} hint={t.viewsAbout} />
        <NumberField path="widget.sample" label={fieldName("widget.sample")} hint={t.widgetSampleAbout} />
      </div>
      <div class="row">
        <ChoiceField
          path="widget.place"
          label={fieldName("widget.place")}
          value={w.place === undefined ? "corner" : String(w.place)}
          options={(["corner", "bar", "inline"] as const).map((p) => [p, texts(rules).values["widget.place"][p]])}
          set={(v) => change((d) => put(v === "inline" ? d : put(d, "widget.target", undefined), "widget.place", v === "corner" ? undefined : v))}
        />
        {(w.place === "inline" || w.target !== undefined) && <PlainField path="widget.target" label={fieldName("widget.target")} hint={t.targetAbout} />}
        {(doc.metric === "csat" || w.shape !== undefined) && (
          <ChoiceField
            path="widget.shape"
            label={fieldName("widget.shape")}
            value={w.shape === undefined ? "stars" : String(w.shape)}
            options={(["stars", "faces"] as const).map((s) => [s, texts(rules).values["widget.shape"][s]])}
            set={(v) => change((d) => put(d, "widget.shape", v === "stars" ? undefined : v))}
          />
        )}
        <PlainField
          path="widget.color"
          label={fieldName("widget.color")}
          hint={t.colorAbout}
          beside={<input type="color" aria-label={t.pickColor} value={color} onInput={(e) => {
                const chosen = e.currentTarget.value;
                change((d) => put(d, "widget.color", chosen));
              }} />}
        />
      </div>
      <div class="row">
        <SpanField path="widget.recontact" label={fieldName("widget.recontact")} hint={t.widgetRecontactAbout} unit="d" />
        <SpanField path="widget.dismissed" label={fieldName("widget.dismissed")} hint={t.dismissedAbout} unit="d" />
      </div>
      <PlainField path="widget.link" label={fieldName("widget.link")} hint={t.linkAbout} type="url" />
    </Section>
  );
}
