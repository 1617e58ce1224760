// One touchpoint's settings: the form, what its draft would do, and what
// customers would see of it.
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useSignal, type ReadonlySignal } from "@preact/signals";
import { change, get, useLive } from "./api.ts";
import type { Changed, Definition, Metric, Plan } from "./contract.ts";
import { Confirm, Dialog, Failure, useAttempt } from "./dialog.tsx";
import { keep, kept, localesOf, rebase, same, type Doc, type Draft } from "./draft.ts";
import { FormContext } from "./fields.tsx";
import { count, fill, texts } from "./locale.ts";
import { may, useMe } from "./me.ts";
import { ownIn } from "./metric.ts";
import { Bone, Loaded, Title } from "./parts.tsx";
import { PlanCard, Wrongs, causes, endsSeries, planOf, seriesText, usePlan } from "./plan.tsx";
import { Preview } from "./preview.tsx";
import { go } from "./router.ts";
import { SettingsForm } from "./settings-form.tsx";
import app from "./texts/app.json";
import plans from "./texts/plan.json";
import words from "./texts/settings.json";

export function TouchpointSettings(props: { id: string }): VNode {
  const { id } = props;
  const me = useMe();
  const path = `/api/touchpoints/${encodeURIComponent(id)}`;
  const draft = useSignal<Draft | null>(may(me, "admin") ? kept(id) : null);
  // What was heard by saving, until the live data have it too.
  const heard = useSignal<Definition | null>(null);
  const live = useLive<Definition>(() => (draft.value?.version === 0 ? null : path));
  const found = live.value.data;
  const theirs = heard.value && heard.value.version > (found?.version ?? 0) ? heard.value : found;
  if (!draft.value && !theirs) {
    return (
      <>
        <Title hidden>{id}</Title>
        <Loaded live={live} skeleton={<Waiting />}>
          {() => null}
        </Loaded>
      </>
    );
  }
  return (
    <Editor
      id={id}
      admin={may(me, "admin")}
      kept={draft}
      theirs={theirs}
      setDraft={(d) => {
        keep(id, d);
        draft.value = d;
      }}
      setTheirs={(d) => (heard.value = d)}
      load={async () => {
        heard.value = await get<Definition>(path);
      }}
    />
  );
}

function Waiting(): VNode {
  return (
    <div class="settings">
      <Bone height="80vh" />
      <Bone height="44rem" />
    </div>
  );
}

interface EditorProps {
  id: string;
  admin: boolean;
  kept: ReadonlySignal<Draft | null>;
  theirs: Definition | null;
  setDraft: (d: Draft | null) => void;
  setTheirs: (d: Definition) => void;
  /** Asks for the definition in force. */
  load: () => Promise<void>;
}

function Editor(props: EditorProps): VNode {
  const t = texts(words);
  const { id, theirs, setDraft } = props;
  const draft = props.kept.value;
  const base = draft ? draft.base : theirs!.definition;
  const version = draft ? draft.version : theirs!.version;
  const doc = draft ? draft.mine : base;
  const [planned, setPlanned] = usePlan(id, draft, theirs?.version ?? 0);
  const { busy, problem, attempt, clear } = useAttempt();
  const [confirming, setConfirming] = useState<Plan | null>(null);
  const [said, setSaid] = useState("");
  // Whether saving has been tried: before that, nothing is said above the form.
  const [tried, setTried] = useState(false);
  const [restored, setRestored] = useState(draft !== null && draft.version > 0);
  const leaving = useLeaving(draft !== null);
  const conflict = draft !== null && theirs !== null && theirs.version !== draft.version;
  const plan = planned.plan;
  const fresh = planned.of === draft?.mine && planned.keepSeries === draft?.keepSeries;

  // The last draft that can be shown.
  const valid = useRef<Doc | null>(null);
  if (!draft) valid.current = null;
  else if (fresh && plan && plan.problems.length === 0) valid.current = draft.mine;

  const edit = (how: (d: Doc) => Doc) => {
    const to = how(props.kept.value?.mine ?? base);
    setSaid("");
    clear();
    if (version > 0 && same(to, base)) setDraft(null);
    else setDraft({ version, base, mine: to, keepSeries: draft?.keepSeries ?? false });
  };
  const keepSeries = (k: boolean) => draft && setDraft({ ...draft, keepSeries: k });
  // What there is nothing to keep for, is not kept.
  const pointless = fresh && planned.keepSeries && (plan?.series.why.length === 0 || plan?.series.why[0]?.what === "metric");
  useEffect(() => {
    if (pointless) keepSeries(false);
  }, [pointless]);

  const discard = () => {
    setRestored(false);
    setTried(false);
    setDraft(null);
    clear();
    if (version === 0) go("/dashboard/settings");
  };
  const put = async (d: Draft) => {
    let saved: Changed;
    try {
      saved = await change<Changed>("PUT", `/api/touchpoints/${encodeURIComponent(id)}`, { version: d.version, definition: d.mine, keepSeries: d.keepSeries });
    } catch (e) {
      await props.load().catch(() => undefined);
      throw e;
    }
    props.setTheirs({ version: saved.version, definition: saved.definition });
    setDraft(null);
    setRestored(false);
    setTried(false);
    setSaid(endsSeries(saved) ? fill(t.savedNewSeries, { n: saved.series.to }) : t.saved);
  };
  const save = () => {
    if (!draft || conflict) return;
    void attempt(async () => {
      const p = await planOf(id, draft);
      setPlanned({ plan: p, of: draft.mine, keepSeries: draft.keepSeries, problem: null });
      setTried(true);
      if (p.problems.length > 0) requestAnimationFrame(() => document.getElementById("problems")?.focus());
      else if (endsSeries(p)) setConfirming(p);
      else await put(draft);
    });
  };

  const name = ownIn({ locales: localesOf(doc) }, (doc.name ?? {}) as Record<string, string>) || id;
  const line = !draft ? said || t.unchanged : !plan ? texts(plans).waiting : plan.problems.length > 0 ? count(texts(plans).problems, plan.problems.length) : seriesText(plan);
  return (
    <>
      <p class="back">
        <a href="/dashboard/settings">{t.all}</a>
      </p>
      <Title>{fill(t.of, { name })}</Title>
      {!props.admin && <p class="note">{t.adminsOnly}</p>}
      {restored && draft && <p class="note">{t.restored}</p>}
      {conflict && <Conflict draft={draft} theirs={theirs} setDraft={setDraft} />}
      <FormContext.Provider value={{ doc, change: edit, problems: draft ? (plan?.problems ?? []) : [] }}>
        <div class="settings">
          <form id="settings-form" noValidate onSubmit={(e) => e.preventDefault()} aria-label={fill(t.of, { name })}>
            {draft && tried && <Wrongs plan={plan} />}
            <fieldset class="all" disabled={!props.admin}>
              <SettingsForm />
            </fieldset>
            {draft && <PlanCard draft={draft} planned={planned} metric={doc.metric as Metric} onKeep={keepSeries} />}
            {props.admin && (
              <div class="save">
                <div>
                  <p id="said" role="status">
                    {line}
                  </p>
                  <Failure problem={problem} words={{ conflict: t.conflict }} />
                </div>
                <button type="button" id="discard" disabled={!draft || busy} onClick={discard}>
                  {t.discard}
                </button>
                {/* Not by Enter in a field: what is saved asks people. */}
                <button type="button" id="save" class="main" disabled={!draft || busy || conflict} onClick={save}>
                  {texts(app).save}
                </button>
              </div>
            )}
          </form>
          <Preview id={id} of={draft ? (valid.current ?? (version > 0 ? base : null)) : base} draft={draft !== null && valid.current !== null} waiting={draft !== null && !(fresh && plan?.problems.length === 0)} />
        </div>
      </FormContext.Provider>
      <Confirm
        open={confirming !== null}
        title={confirming ? fill(t.confirmTitle, { n: confirming.series.to }) : ""}
        action={t.confirm}
        run={() => put(draft!)}
        onClose={() => setConfirming(null)}
        words={{ conflict: t.conflict }}
      >
        <p>{confirming ? fill(t.confirmAbout, { why: causes(confirming) }) : ""}</p>
      </Confirm>
      <Dialog open={leaving.to !== null} title={t.leaveTitle} onClose={leaving.stay}>
        <p>{t.leaveAbout}</p>
        <div class="actions">
          <button
            type="button"
            class="danger"
            onClick={() => {
              keep(id, null);
              leaving.leave();
            }}
          >
            {t.leaveDiscard}
          </button>
          <button type="button" onClick={leaving.leave}>
            {t.leaveKeep}
          </button>
          <button type="button" class="main" autofocus onClick={leaving.stay}>
            {t.stay}
          </button>
        </div>
      </Dialog>
    </>
  );
}

/** Somebody else has saved meanwhile: theirs, or mine on top of it. */
function Conflict(props: { draft: Draft; theirs: Definition; setDraft: (d: Draft | null) => void }): VNode {
  const t = texts(words);
  const { draft, theirs } = props;
  return (
    <section class="note warn conflict" role="alert" aria-labelledby="conflict-title">
      <h2 id="conflict-title">{t.conflictTitle}</h2>
      <p>{t.conflictAbout}</p>
      <div class="actions">
        <button type="button" id="theirs" onClick={() => props.setDraft(null)}>
          {t.theirs}
        </button>
        <button
          type="button"
          id="mine"
          onClick={() => {
            const mine = rebase(draft.base, draft.mine, theirs.definition);
            props.setDraft(same(mine, theirs.definition) ? null : { ...draft, version: theirs.version, base: theirs.definition, mine });
          }}
        >
          {t.mine}
        </button>
      </div>
    </section>
  );
}

/** Asks before the page is left with a draft. */
function useLeaving(dirty: boolean): { to: string | null; stay: () => void; leave: () => void } {
  const [to, setTo] = useState<string | null>(null);
  useEffect(() => {
    if (!dirty) return;
    const unload = (e: BeforeUnloadEvent) => e.preventDefault();
    // Before the router, which leaves alone what has been taken.
    const click = (e: MouseEvent) => {
      const a = e.target instanceof Element ? e.target.closest("a") : null;
      if (!a || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey || a.target || a.origin !== location.origin || a.pathname === location.pathname) return;
      e.preventDefault();
      setTo(a.href);
    };
    addEventListener("beforeunload", unload);
    addEventListener("click", click, true);
    return () => {
      removeEventListener("beforeunload", unload);
      removeEventListener("click", click, true);
    };
  }, [dirty]);
  return {
    to,
    stay: () => setTo(null),
    leave: () => {
      setTo(null);
      if (to) go(to);
    },
  };
}
