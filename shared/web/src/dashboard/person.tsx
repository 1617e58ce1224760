// One contact: who it is, what it was asked and answered, and why it was asked
// or not.
import type { ComponentChildren, VNode } from "preact";
import { useState } from "preact/hooks";
import { change, useLive } from "./api.ts";
import { segmentName } from "./breakdown.tsx";
import { channelText, decisionText, occasionText, personName, type Contact, type Explanation } from "./contact.ts";
import type { TouchpointEntry } from "./contract.ts";
import { Confirm } from "./dialog.tsx";
import { fill, moment, number, texts } from "./locale.ts";
import { may, useMe } from "./me.ts";
import { answers, categoryOf, languageName, ownIn, tone } from "./metric.ts";
import { Bone, Loaded, Title } from "./parts.tsx";
import { go } from "./router.ts";
import app from "./texts/app.json";
import people from "./texts/people.json";
import words from "./texts/person.json";

export function Person(props: { id: string }): VNode {
  const live = useLive<Explanation>(() => `/api/contacts/${encodeURIComponent(props.id)}/why`);
  const touchpoints = useLive<{ touchpoints: TouchpointEntry[] }>(() => "/api/touchpoints");
  const entries = touchpoints.value.data?.touchpoints ?? [];
  return (
    <>
      <p class="back">
        <a href="/dashboard/people">{texts(app).people}</a>
      </p>
      <Loaded live={live} skeleton={<Bone height="60vh" />}>
        {(all) => (
          <>
            <Title>{personName(all.contact)}</Title>
            <div class="person">
              <div>
                <Details contact={all.contact} />
                <Choices contact={all.contact} />
              </div>
              <div>
                <Asks all={all} entries={entries} />
                <Decisions all={all} entries={entries} />
              </div>
            </div>
          </>
        )}
      </Loaded>
    </>
  );
}

function Details(props: { contact: Contact }): VNode {
  const c = props.contact;
  const t = texts(words);
  const fields = texts(people).fields;
  const row = (name: string, value: ComponentChildren) =>
    value ? (
      <>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </>
    ) : null;
  return (
    <section class="card" aria-labelledby="details">
      <h2 id="details">{t.details}</h2>
      <dl class="details">
        {row(fields.email, c.email && <a href={`mailto:${c.email}`}>{c.email}</a>)}
        {row(fields.phone, c.phone && <a href={`tel:${c.phone}`}>{c.phone}</a>)}
        {row(fields.ref, c.ref)}
        {row(t.company, c.company)}
        {row(t.language, c.locale && languageName(c.locale))}
        {row(t.zone, c.zone)}
        {row(
          texts(people).segments,
          c.segments.length > 0 &&
            c.segments.map((s) => (
              <span key={s} class="chip">
                {segmentName(s)}
              </span>
            )),
        )}
        {row(t.added, moment(c.createdAt, c.zone))}
        {row(t.changed, moment(c.changedAt, c.zone))}
      </dl>
    </section>
  );
}

type Question = "email" | "sms" | "delete";

/** By which channels the person may be asked, and the deleting. Only the person can undo an opt-out, so it is asked twice. */
function Choices(props: { contact: Contact }): VNode {
  const c = props.contact;
  const me = useMe();
  const t = texts(words);
  const [asked, setAsked] = useState<Question | null>(null);
  const path = `/api/contacts/${c.id}`;
  const name = personName(c);
  const optOut = (channel: "email" | "sms") => change("PATCH", path, { optOut: [...new Set([...Object.keys(c.optOuts), channel])], version: c.version });
  const remove = async () => {
    await change("DELETE", path);
    go("/dashboard/people");
  };
  return (
    <section class="card" aria-labelledby="choices">
      <h2 id="choices">{t.asking}</h2>
      <ul class="channels">
        {(["email", "sms"] as const).map((channel) => {
          const since = c.optOuts[channel];
          return (
            <li key={channel}>
              <span>{since ? fill(t.optedOutSince, { channel: channelText(channel), at: moment(since, c.zone) }) : fill(t.mayBeAsked, { channel: channelText(channel) })}</span>
              {!since && (
                <button type="button" id={`opt-out-${channel}`} onClick={() => setAsked(channel)}>
                  {fill(t.optOut, { channel: channelText(channel) })}
                </button>
              )}
            </li>
          );
        })}
      </ul>
      {may(me, "admin") && (
        <button type="button" class="danger" id="delete" onClick={() => setAsked("delete")}>
          {t.delete}
        </button>
      )}
      {(["email", "sms"] as const).map((channel) => (
        <Confirm
          key={channel}
          open={asked === channel}
          title={fill(t.optOut, { channel: channelText(channel) })}
          action={t.optOutDo}
          run={() => optOut(channel)}
          onClose={() => setAsked(null)}
          words={{ version: t.changedMeanwhile }}
        >
          <p>{fill(t.optOutAbout, { name })}</p>
        </Confirm>
      ))}
      <Confirm open={asked === "delete"} title={fill(t.deleteTitle, { name })} action={t.delete} run={remove} onClose={() => setAsked(null)}>
        <p>{t.deleteAbout}</p>
      </Confirm>
    </section>
  );
}

/** What a touchpoint is called; its id where it is gone. */
function namer(entries: TouchpointEntry[]): (id: string) => string {
  return (id) => {
    const e = entries.find((e) => e.id === id);
    return e ? ownIn(e, e.name) : id;
  };
}

function Asks(props: { all: Explanation; entries: TouchpointEntry[] }): VNode {
  const { all, entries } = props;
  const t = texts(words);
  const name = namer(entries);
  return (
    <section class="card" aria-labelledby="asks">
      <h2 id="asks">{t.asks}</h2>
      {all.asks.length === 0 ? (
        <p>{t.noAsks}</p>
      ) : (
        <ul class="asks">
          {all.asks.map((a) => {
            const metric = entries.find((e) => e.id === a.touchpoint)?.metric;
            const known = metric !== undefined && a.score !== null && answers(metric).includes(a.score);
            return (
              <li key={a.touchpoint + a.occasion}>
                <span class={`badge ${known ? tone(categoryOf(metric, a.score!)) : ""}`}>
                  {a.score === null ? (
                    <>
                      <span aria-hidden="true">–</span>
                      <span class="unseen">{t.noAnswer}</span>
                    </>
                  ) : (
                    <>
                      <span class="unseen">{t.answer} </span>
                      {number(a.score)}
                    </>
                  )}
                </span>
                <div>
                  <strong>{name(a.touchpoint)}</strong>
                  <span class="line">{occasionText(a.occasion)}</span>
                  <span class="line">
                    {a.sentAt ? fill(t.sent, { at: moment(a.sentAt, all.contact.zone) }) : t.sending}
                    {a.score === null && `, ${t.noAnswer}`}
                  </span>
                </div>
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}

function Decisions(props: { all: Explanation; entries: TouchpointEntry[] }): VNode {
  const { all, entries } = props;
  const t = texts(words);
  const name = namer(entries);
  return (
    <section class="card" aria-labelledby="why">
      <h2 id="why">{t.why}</h2>
      <p class="about">{fill(t.whyAbout, { zone: all.contact.zone })}</p>
      {all.decisions.length === 0 ? (
        <p>{t.noDecisions}</p>
      ) : (
        <ol class="decisions">
          {all.decisions.map((d) => (
            <li key={d.touchpoint + d.occasion} class={d.verdict}>
              <strong>{name(d.touchpoint)}</strong>
              <span class="line">{occasionText(d.occasion)}</span>
              <span>{decisionText(d, all.contact.zone, name)}</span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
