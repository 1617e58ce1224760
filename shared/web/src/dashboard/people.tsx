// The contacts: all of them, page by page, or the one with an address.
import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useLive } from "./api.ts";
import { segmentName } from "./breakdown.tsx";
import { channelText, personName, type Contact } from "./contact.ts";
import { date, fill, texts } from "./locale.ts";
import { useMe } from "./me.ts";
import { Bone, Loaded, Title } from "./parts.tsx";
import { address, go, hrefOf, withQuery } from "./router.ts";
import app from "./texts/app.json";
import words from "./texts/people.json";

interface Found {
  contacts: Contact[];
  /** Of the next page; null on the last. */
  cursor: string | null;
}

const fields = ["email", "phone", "ref"] as const;
type Field = (typeof fields)[number];

/** What is looked for, as the address has it; null for everybody. */
function wanted(): { by: Field; q: string } | null {
  const { query } = address.value;
  const by = fields.find((f) => f === query.get("by")) ?? fields[0];
  const q = (query.get("q") ?? "").trim();
  return q ? { by, q } : null;
}

export function People(): VNode {
  const live = useLive<Found>(() => {
    const w = wanted();
    const cursor = address.value.query.get("cursor");
    return hrefOf("/api/contacts", w ? { [w.by]: w.q } : cursor ? { cursor } : {});
  });
  const search = wanted();
  const refused = search !== null && live.value.problem?.status === 400;
  return (
    <>
      <Title>{texts(app).people}</Title>
      <Search refused={refused} />
      {!refused && (
        <Loaded live={live} skeleton={<Bone height="60vh" />}>
          {(found) => <List found={found} search={search} />}
        </Loaded>
      )}
    </>
  );
}

function Search(props: { refused: boolean }): VNode {
  const t = texts(words);
  const search = wanted();
  const [by, setBy] = useState<Field>(search?.by ?? fields[0]);
  const [q, setQ] = useState(search?.q ?? "");
  useEffect(() => {
    setQ(search?.q ?? "");
    if (search) setBy(search.by);
  }, [search?.q, search?.by]);
  const find = (e: Event) => {
    e.preventDefault();
    go(withQuery({ by: q.trim() ? by : null, q: q.trim() || null, cursor: null }));
  };
  return (
    <form class="find" role="search" onSubmit={find}>
      <label>
        <span class="name">{t.by}</span>
        <select id="people-by" value={by} onChange={(e) => setBy(e.currentTarget.value as Field)}>
          {fields.map((f) => (
            <option key={f} value={f}>
              {t.fields[f]}
            </option>
          ))}
        </select>
      </label>
      <label class="q">
        <span class="name">{t.exactly}</span>
        <input
          id="people-q"
          type="search"
          autocomplete="off"
          value={q}
          aria-invalid={props.refused}
          aria-describedby={props.refused ? "people-wrong" : undefined}
          onInput={(e) => {
            const text = e.currentTarget.value;
            setQ(text);
            if (text.includes("@")) setBy("email");
          }}
        />
      </label>
      <button type="submit" class="main">
        {t.find}
      </button>
      {search && (
        <a class="button" href="/dashboard/people">
          {t.everybody}
        </a>
      )}
      {props.refused && (
        <p class="wrong" id="people-wrong" role="alert">
          {t.wrong[search!.by]}
        </p>
      )}
    </form>
  );
}

function List(props: { found: Found; search: { by: Field; q: string } | null }): VNode {
  const { found, search } = props;
  const t = texts(words);
  const later = address.value.query.has("cursor");
  if (found.contacts.length === 0 && found.cursor === null && !later) {
    return (
      <section class="card blank" role="status">
        <h2>{search ? fill(t.nobodyHas, { q: search.q }) : t.nobody}</h2>
        <p>{search ? t.nobodyHasAbout : t.nobodyAbout}</p>
      </section>
    );
  }
  return (
    <>
      <table class="people" role="table">
        <caption class="unseen">{texts(app).people}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {[t.person, t.addresses, t.segments, t.lastAsked].map((name) => (
              <th key={name} role="columnheader" scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {found.contacts.map((c) => (
            <Row key={c.id} contact={c} />
          ))}
        </tbody>
      </table>
      {(found.cursor !== null || later) && (
        <nav class="pages" aria-label={t.pages}>
          {later && (
            <a class="button" href={withQuery({ cursor: null })}>
              {t.first}
            </a>
          )}
          {found.cursor !== null && (
            <a class="button" href={withQuery({ cursor: found.cursor })}>
              {t.next}
            </a>
          )}
        </nav>
      )}
    </>
  );
}

function Row(props: { contact: Contact }): VNode {
  const c = props.contact;
  const me = useMe();
  const t = texts(words);
  const out = Object.keys(c.optOuts);
  return (
    <tr role="row">
      <th role="rowheader" scope="row">
        <a href={`/dashboard/people/${c.id}`}>{personName(c)}</a>
        {c.company && <span class="line">{c.company}</span>}
      </th>
      <td role="cell">
        {[c.email, c.phone, c.ref].filter(Boolean).map((a) => (
          <span key={a} class="line">
            {a}
          </span>
        ))}
      </td>
      <td role="cell">
        {c.segments.map((s) => (
          <span key={s} class="chip">
            {segmentName(s)}
          </span>
        ))}
      </td>
      <td role="cell">
        <span class="line">
          <span class="narrow">{t.lastAsked}: </span>
          {c.lastAskedAt ? date(inZone(c.lastAskedAt, me.zone)) : t.never}
        </span>
        {out.length > 0 && <span class="line opted">{fill(t.optedOut, { channels: out.map(channelText).join(", ") })}</span>}
      </td>
    </tr>
  );
}

/** The day that it is in a zone at a moment. */
function inZone(at: string, zone: string): string {
  return new Intl.DateTimeFormat("en-CA", { timeZone: zone }).format(new Date(at));
}
