// The audit log: who changed what, and what it was before and after.
import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useLive } from "./api.ts";
import type { AuditEntry, AuditLog } from "./contract.ts";
import { fill, moment, texts } from "./locale.ts";
import { useMe } from "./me.ts";
import { Bone, Loaded, Title } from "./parts.tsx";
import { Range, rangeQuery } from "./range.tsx";
import { address, go, hrefOf, withQuery } from "./router.ts";
import words from "./texts/audit.json";
import people from "./texts/people.json";

/** The parameters of the view that the API takes as they are. */
function asked(): Record<string, string> {
  const { query } = address.value;
  const out: Record<string, string> = { ...rangeQuery(query) };
  for (const name of ["action", "subject", "cursor"]) {
    const value = query.get(name);
    if (value) out[name] = value;
  }
  return out;
}

export function Audit(): VNode {
  const t = texts(words);
  const live = useLive<AuditLog>(() => hrefOf("/api/audit", asked()));
  return (
    <>
      <Title>{t.title}</Title>
      <p class="about">{t.about}</p>
      <Filters />
      <Loaded live={live} skeleton={<Bone height="60vh" />}>
        {(log) => <List log={log} />}
      </Loaded>
    </>
  );
}

function Filters(): VNode {
  const t = texts(words);
  const { query } = address.value;
  const [subject, setSubject] = useState(query.get("subject") ?? "");
  useEffect(() => setSubject(query.get("subject") ?? ""), [query.get("subject")]);
  const find = (e: Event) => {
    e.preventDefault();
    go(withQuery({ subject: subject.trim(), cursor: null }));
  };
  return (
    <form class="find" role="search" onSubmit={find}>
      <Range />
      <label>
        <span class="name">{t.action}</span>
        <select id="audit-action" value={query.get("action") ?? ""} onChange={(e) => go(withQuery({ action: e.currentTarget.value, cursor: null }))}>
          <option value="">{t.all}</option>
          {Object.entries(t.actions).map(([action, name]) => (
            <option key={action} value={action}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="q">
        <span class="name">{t.subjectId}</span>
        <input id="audit-subject" type="search" autocomplete="off" maxLength={100} value={subject} onInput={(e) => setSubject(e.currentTarget.value)} />
      </label>
      <button type="submit" class="main">
        {texts(people).find}
      </button>
    </form>
  );
}

function List(props: { log: AuditLog }): VNode {
  const { entries, cursor } = props.log;
  const t = texts(words);
  const p = texts(people);
  const { query } = address.value;
  const others = counterparts(entries);
  const later = query.has("cursor");
  const filtered = query.has("action") || query.has("subject") || query.has("from");
  return (
    <>
      {entries.length === 0 ? (
        <section class="card blank" role="status">
          <h2>{cursor !== null ? t.notYet : filtered ? t.noneSuch : t.none}</h2>
          <p>{cursor !== null ? t.notYetAbout : filtered ? t.noneSuchAbout : t.noneAbout}</p>
        </section>
      ) : (
        <table class="people audit" role="table">
          <caption class="unseen">{t.title}</caption>
          <thead role="rowgroup">
            <tr role="row">
              {[t.at, t.who, t.action, t.subject, t.states].map((name) => (
                <th key={name} role="columnheader" scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {entries.map((e) => (
              <Row key={e.id} entry={e} other={others.get(e.id)} />
            ))}
          </tbody>
        </table>
      )}
      {(cursor !== null || later) && (
        <nav class="pages" aria-label={p.pages}>
          {later && (
            <a class="button" href={withQuery({ cursor: null })}>
              {p.first}
            </a>
          )}
          {cursor !== null && (
            <a class="button" href={withQuery({ cursor })}>
              {p.next}
            </a>
          )}
        </nav>
      )}
    </>
  );
}

/** By id, the entry of the same page that says that one failed, and that says what was begun of one that did. */
function counterparts(entries: AuditEntry[]): Map<string, AuditEntry> {
  const byID = new Map(entries.map((e) => [e.id, e]));
  const out = new Map<string, AuditEntry>();
  for (const e of entries) {
    const begun = e.of === null ? undefined : byID.get(e.of);
    if (!begun) continue;
    out.set(e.id, begun);
    out.set(begun.id, e);
  }
  return out;
}

function Row(props: { entry: AuditEntry; other?: AuditEntry }): VNode {
  const { entry: e, other } = props;
  const me = useMe();
  const t = texts(words);
  const at = moment(e.at, me.zone);
  const action = t.actions[e.action] ?? e.action;
  const changed = differences(e);
  return (
    <tr role="row" id={e.id}>
      <th role="rowheader" scope="row">
        <time dateTime={e.at}>{at}</time>
      </th>
      <td role="cell">
        <span class="line">{e.who === me.id ? t.you : e.who}</span>
        <span class="line soft">{t.roles[e.role]}</span>
      </td>
      <td role="cell">
        {action}
        {(e.of !== null || other) && <strong class="line failed">{t.failed}</strong>}
        {other && <a href={`#${other.id}`}>{fill(e.of === null ? t.failedAt : t.begunAt, { at: moment(other.at, me.zone) })}</a>}
        {e.of !== null && !other && <span class="line soft">{fill(t.begunAs, { id: e.of })}</span>}
      </td>
      <td role="cell">
        {e.subject && (
          <a href={withQuery({ subject: e.subject, cursor: null })} aria-label={fill(t.onlySubject, { subject: e.subject })}>
            {e.subject}
          </a>
        )}
      </td>
      <td role="cell">
        {changed.length > 0 && (
          <details>
            <summary aria-label={fill(t.showOf, { action, at })}>{t.show}</summary>
            <dl>
              {changed.map((d) => (
                <Difference key={d.field} {...d} />
              ))}
            </dl>
          </details>
        )}
      </td>
    </tr>
  );
}

interface Differing {
  field: string;
  before: unknown;
  after: unknown;
}

/** The fields that are not the same before and after, in the order in which they stand there. */
function differences(e: AuditEntry): Differing[] {
  const before = e.before ?? {};
  const after = e.after ?? {};
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .map((field) => ({ field, before: before[field], after: after[field] }))
    .filter((d) => JSON.stringify(d.before) !== JSON.stringify(d.after));
}

function Difference(props: Differing): VNode {
  const t = texts(words);
  return (
    <>
      <dt>{props.field}</dt>
      <dd>
        <span class="unseen">{t.before}</span>
        <State value={props.before} />
        <span aria-hidden="true"> → </span>
        <span class="unseen">{t.after}</span>
        <State value={props.after} />
      </dd>
    </>
  );
}

function State(props: { value: unknown }): VNode {
  const { value } = props;
  if (value === undefined || value === null) return <span class="soft">{texts(words).nothing}</span>;
  return <code>{typeof value === "string" ? value : JSON.stringify(value, null, 1)}</code>;
}
