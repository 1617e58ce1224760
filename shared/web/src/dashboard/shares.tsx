// Views that are shared by a link: making one from any view, and the list of all.
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { change, useLive } from "./api.ts";
import { segmentName } from "./breakdown.tsx";
import type { NewShare, Share, Shares as All, TouchpointEntry, View } from "./contract.ts";
import { Confirm, Dialog, Failure, useAttempt } from "./dialog.tsx";
import { date, fill, moment, texts } from "./locale.ts";
import { useMe, may } from "./me.ts";
import { channelName, ownIn } from "./metric.ts";
import { Bone, Loaded, Title } from "./parts.tsx";
import { rangeText } from "./period.ts";
import { daysAfter } from "./range.tsx";
import app from "./texts/app.json";
import ranges from "./texts/range.json";
import words from "./texts/shares.json";

/** Shares a view: asks for its name, its end and whether comments are in it, and shows the link, which cannot be seen again. */
export function ShareButton(props: { view: View; name: string }): VNode | null {
  const me = useMe();
  const t = texts(words);
  const [open, setOpen] = useState(false);
  const [made, setMade] = useState<NewShare | null>(null);
  if (!may(me, "agent")) return null;
  const close = () => {
    setOpen(false);
    setMade(null);
  };
  return (
    <>
      <button type="button" id="share" onClick={() => setOpen(true)}>
        {t.share}
      </button>
      <Dialog open={open} title={made ? t.made : t.share} onClose={close}>
        {made ? <Made share={made} onClose={close} /> : <Making view={props.view} name={props.name} today={me.today} onMade={setMade} onClose={close} />}
      </Dialog>
    </>
  );
}

function Making(props: { view: View; name: string; today: string; onMade: (s: NewShare) => void; onClose: () => void }): VNode {
  const t = texts(words);
  const { busy, problem, attempt } = useAttempt();
  const [name, setName] = useState(props.name);
  const [comments, setComments] = useState(false);
  const [expires, setExpires] = useState(daysAfter(props.today, 365));
  const send = (e: Event) => {
    e.preventDefault();
    const body = { name: name.trim(), view: props.view, comments, ...(expires ? { expires } : {}) };
    void attempt(async () => props.onMade(await change<NewShare>("POST", "/api/shares", body)));
  };
  return (
    <form onSubmit={send}>
      <p>{t.about}</p>
      <label>
        <span class="name">{t.name}</span>
        <input id="share-name" class="wide" required maxLength={100} value={name} onInput={(e) => setName(e.currentTarget.value)} />
      </label>
      <label>
        <span class="name">{t.expires}</span>
        <input
          id="share-expires"
          type="date"
          min={daysAfter(props.today, 1)}
          max={daysAfter(props.today, 5 * 365)}
          value={expires}
          aria-describedby="share-expires-about"
          onInput={(e) => setExpires(e.currentTarget.value)}
        />
        <span class="hint" id="share-expires-about">
          {t.expiresAbout}
        </span>
      </label>
      <label class="tick">
        <input id="share-comments" type="checkbox" checked={comments} onChange={(e) => setComments(e.currentTarget.checked)} />
        <span>
          {t.withComments}
          <span class="hint">{t.withCommentsAbout}</span>
        </span>
      </label>
      <Failure problem={problem} words={{ name: t.wrongName, expires: t.wrongExpires, conflict: t.tooMany }} />
      <div class="actions">
        <button type="button" onClick={props.onClose}>
          {texts(app).cancel}
        </button>
        <button type="submit" class="main" disabled={busy}>
          {t.make}
        </button>
      </div>
    </form>
  );
}

function Made(props: { share: NewShare; onClose: () => void }): VNode {
  const t = texts(words);
  const field = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);
  // The form that had the focus is gone.
  useEffect(() => field.current!.focus(), []);
  const copy = async () => {
    field.current!.select();
    try {
      await navigator.clipboard.writeText(field.current!.value);
      setCopied(true);
    } catch {
      // It stays selected: the browser lets people copy it themselves.
    }
  };
  return (
    <>
      <p>{t.madeAbout}</p>
      <label>
        <span class="name">{t.link}</span>
        <input id="share-link" ref={field} class="wide" readOnly value={location.origin + props.share.path} onFocus={(e) => e.currentTarget.select()} />
      </label>
      <div class="actions">
        <span role="status" class="said">
          {copied ? texts(app).copied : ""}
        </span>
        <button type="button" class="main" onClick={() => void copy()}>
          {texts(app).copy}
        </button>
        <button type="button" onClick={props.onClose}>
          {texts(app).close}
        </button>
      </div>
    </>
  );
}

/** All shared views, and their revoking. */
export function Shares(): VNode {
  const t = texts(words);
  const live = useLive<All>(() => "/api/shares");
  const touchpoints = useLive<{ touchpoints: TouchpointEntry[] }>(() => "/api/touchpoints");
  const [revoking, setRevoking] = useState<Share | null>(null);
  const entries = touchpoints.value.data?.touchpoints ?? [];
  return (
    <>
      <Title>{texts(app).shares}</Title>
      <p class="about">{t.listAbout}</p>
      <Loaded live={live} skeleton={<Bone height="20rem" />}>
        {({ shares }) =>
          shares.length === 0 ? (
            <section class="card blank">
              <h2>{t.none}</h2>
              <p>{t.noneAbout}</p>
              <a class="button main" href="/dashboard">
                {texts(app).toOverview}
              </a>
            </section>
          ) : (
            <ul class="shares">
              {shares.map((s) => (
                <Row key={s.id} share={s} entries={entries} onRevoke={() => setRevoking(s)} />
              ))}
            </ul>
          )
        }
      </Loaded>
      <Confirm
        open={revoking !== null}
        title={revoking ? fill(t.revokeTitle, { name: revoking.name }) : ""}
        action={t.revoke}
        run={() => change("DELETE", `/api/shares/${revoking!.id}`)}
        onClose={() => setRevoking(null)}
      >
        <p>{t.revokeAbout}</p>
      </Confirm>
    </>
  );
}

function Row(props: { share: Share; entries: TouchpointEntry[]; onRevoke: () => void }): VNode {
  const { share: s } = props;
  const me = useMe();
  const t = texts(words);
  const over = s.expires !== null && s.expires < me.today;
  return (
    <li class="card">
      <div>
        <h2>{s.name}</h2>
        <p>{viewText(s.view, props.entries)}</p>
        <ul class="facts">
          <li>{s.comments ? t.hasComments : t.noComments}</li>
          <li class={over ? "over" : ""}>{s.expires === null ? t.noEnd : fill(over ? t.ended : t.ends, { date: date(s.expires) })}</li>
          <li>{fill(s.by === me.id ? t.byYou : t.madeAt, { time: moment(s.at, me.zone) })}</li>
        </ul>
      </div>
      <button type="button" class="danger" aria-label={fill(t.revokeTitle, { name: s.name })} onClick={props.onRevoke}>
        {t.revoke}
      </button>
    </li>
  );
}

/** What a view shows, in words: its page, its days, its channel and segment. */
export function viewText(v: View, entries: TouchpointEntry[]): string {
  const entry = entries.find((e) => e.id === v.touchpoint);
  const parts = [v.page === "overview" ? texts(app).overview : entry ? ownIn(entry, entry.name) : (v.touchpoint ?? "")];
  if (v.last) parts.push(fill(texts(ranges).months, { n: v.last }));
  else if (v.from && v.to) parts.push(rangeText(v.from, v.to));
  if (v.channel) parts.push(channelName(v.channel));
  if (v.segment) parts.push(segmentName(v.segment));
  return parts.join(" · ");
}
