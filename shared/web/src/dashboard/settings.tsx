// The touchpoints and how each asks; admins add new ones.
import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { get, useLive } from "./api.ts";
import type { Definition, Metric, Text, TouchpointEntry } from "./contract.ts";
import { Dialog, Failure, useAttempt } from "./dialog.tsx";
import { keep, type Doc } from "./draft.ts";
import { locale, texts } from "./locale.ts";
import { may, useMe } from "./me.ts";
import { channelName, ownIn, valueText } from "./metric.ts";
import { Bone, Loaded, Title } from "./parts.tsx";
import { go } from "./router.ts";
import { metricName } from "./score.tsx";
import { metrics, phases } from "./settings-form.tsx";
import app from "./texts/app.json";
import audit from "./texts/audit.json";
import rules from "./texts/rules.json";
import words from "./texts/settings.json";

interface Touchpoints {
  touchpoints: TouchpointEntry[];
}

export function Settings(): VNode {
  const me = useMe();
  const t = texts(words);
  const live = useLive<Touchpoints>(() => "/api/touchpoints");
  const [adding, setAdding] = useState(false);
  const admin = may(me, "admin");
  return (
    <>
      <div class="head">
        <Title>{texts(app).settings}</Title>
        {admin && (
          <div class="tools">
            <a class="button" href="/dashboard/audit">
              {texts(audit).title}
            </a>
            <button type="button" id="new-touchpoint" class="main" onClick={() => setAdding(true)}>
              {t.add}
            </button>
          </div>
        )}
      </div>
      <p class="about">{admin ? t.listAbout : t.adminsOnly}</p>
      <Loaded live={live} skeleton={<Bone height="60vh" />}>
        {({ touchpoints }) => (
          <>
            {touchpoints.length === 0 && (
              <section class="card blank">
                <h2>{t.none}</h2>
                <p>{admin ? t.noneAbout : t.noneToSee}</p>
              </section>
            )}
            {phases.map((phase) => {
              const entries = touchpoints.filter((e) => e.phase === phase);
              if (entries.length === 0) return null;
              return (
                <section key={phase} class="touchpoints" aria-labelledby={`settings-${phase}`}>
                  <h2 id={`settings-${phase}`}>{texts(rules).values.phase[phase]}</h2>
                  <ul>
                    {entries.map((e) => (
                      <Entry key={e.id} entry={e} />
                    ))}
                  </ul>
                </section>
              );
            })}
            <Dialog open={adding} title={t.add} onClose={() => setAdding(false)}>
              <Adding entries={touchpoints} onClose={() => setAdding(false)} />
            </Dialog>
          </>
        )}
      </Loaded>
    </>
  );
}

function Entry(props: { entry: TouchpointEntry }): VNode {
  const { entry: e } = props;
  const t = texts(words);
  return (
    <li class="card">
      <h3>
        <a href={`/dashboard/settings/${encodeURIComponent(e.id)}`}>{ownIn(e, e.name)}</a>
      </h3>
      <p class="asks">{ownIn(e, e.question)}</p>
      <dl>
        <dt>{t.metric}</dt>
        <dd>{metricName(e.metric)}</dd>
        <dt>{t.asksBy}</dt>
        <dd>{e.channels.map(channelName).join(", ")}</dd>
        <dt>{t.goal}</dt>
        <dd>{e.goal === null ? t.noGoal : valueText(e.metric, e.goal)}</dd>
        <dt>{t.state}</dt>
        <dd>{e.stopped ? <strong class="stopped">{t.stopped}</strong> : t.running}</dd>
      </dl>
    </li>
  );
}

/** Starts the draft of a new touchpoint: what is not asked for here is as in the first one that there is. */
function Adding(props: { entries: TouchpointEntry[]; onClose: () => void }): VNode {
  const t = texts(words);
  const { busy, problem, attempt } = useAttempt();
  const [id, setId] = useState("");
  const [name, setName] = useState("");
  const [phase, setPhase] = useState<(typeof phases)[number]>("after");
  const [metric, setMetric] = useState<Metric>("nps");
  const [tried, setTried] = useState(false);
  const wrong = !/^[a-z0-9][a-z0-9-]{0,62}$/.test(id) ? t.wrongId : props.entries.some((e) => e.id === id) ? t.takenId : null;
  const start = (e: Event) => {
    e.preventDefault();
    setTried(true);
    if (wrong || !name.trim()) {
      document.getElementById(wrong ? "new-id" : "new-name")?.focus();
      return;
    }
    void attempt(async () => {
      const like = props.entries[0] ? (await get<Definition>(`/api/touchpoints/${encodeURIComponent(props.entries[0].id)}`)).definition : {};
      keep(id, { version: 0, base: {}, mine: fresh(id, name.trim(), phase, metric, like), keepSeries: false });
      go(`/dashboard/settings/${id}`);
    });
  };
  const nameless = tried && !name.trim();
  return (
    <form noValidate onSubmit={start}>
      <label>
        <span class="name">{t.newName}</span>
        <input id="new-name" class="wide" maxLength={100} autoComplete="off" value={name} aria-invalid={nameless} aria-describedby={nameless ? "new-name-wrong" : undefined} onInput={(e) => setName(e.currentTarget.value)} />
        {nameless && (
          <span class="wrong" id="new-name-wrong">
            {t.wrongName}
          </span>
        )}
      </label>
      <label>
        <span class="name">{t.newId}</span>
        <input
          id="new-id"
          class="wide"
          autoComplete="off"
          autocapitalize="none"
          spellcheck={false}
          value={id}
          aria-invalid={tried && wrong !== null}
          aria-describedby={`new-id-about${tried && wrong ? " new-id-wrong" : ""}`}
          onInput={(e) => setId(e.currentTarget.value)}
        />
        <span class="hint" id="new-id-about">
          {t.newIdAbout}
        </span>
        {tried && wrong && (
          <span class="wrong" id="new-id-wrong">
            {wrong}
          </span>
        )}
      </label>
      <label>
        <span class="name">{t.newPhase}</span>
        <select id="new-phase" class="wide" value={phase} onChange={(e) => setPhase(e.currentTarget.value as typeof phase)}>
          {phases.map((p) => (
            <option key={p} value={p}>
              {texts(rules).values.phase[p]}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span class="name">{t.metric}</span>
        <select id="new-metric" class="wide" value={metric} aria-describedby="new-metric-about" onChange={(e) => setMetric(e.currentTarget.value as Metric)}>
          {metrics.map((m) => (
            <option key={m} value={m}>
              {metricName(m)}
            </option>
          ))}
        </select>
        <span class="hint" id="new-metric-about">
          {t.metrics[metric]}
        </span>
      </label>
      <Failure problem={problem} />
      <div class="actions">
        <button type="button" onClick={props.onClose}>
          {texts(app).cancel}
        </button>
        <button type="submit" class="main" disabled={busy}>
          {t.goOn}
        </button>
      </div>
    </form>
  );
}

/** A definition to begin with: the usual question of the metric, asked by e-mail and link. */
function fresh(id: string, name: string, phase: string, metric: Metric, like: Doc): Doc {
  const known = Object.keys(words) as (keyof typeof words)[];
  const locales = Array.isArray(like.locales) ? (like.locales as string[]) : known;
  const question: Text = {};
  for (const l of locales) {
    const texts = words[l.slice(0, 2) as keyof typeof words];
    if (texts) question[l] = texts.questions[metric];
  }
  const named = locales.find((l) => l.startsWith(locale.value)) ?? locales[0]!;
  return {
    id,
    phase,
    metric,
    locales,
    channels: ["email", "link"],
    ...(like.origins ? { origins: like.origins } : {}),
    name: { [named]: name },
    question,
  };
}
