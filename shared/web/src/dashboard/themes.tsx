// The words that set the unhappy apart from the happy, and those on the rise.
import type { VNode } from "preact";
import { useLive } from "./api.ts";
import type { Theme, Themes as Answer } from "./contract.ts";
import { count, date, fill, number, texts } from "./locale.ts";
import { Bone, Loaded } from "./parts.tsx";
import { rangeQuery } from "./range.tsx";
import { address, go, hrefOf, withQuery } from "./router.ts";
import words from "./texts/themes.json";

/** Comments below which nothing can be told from words. */
const fewComments = 10;

function path(touchpoint: string): string {
  const q = address.value.query;
  const wanted: Record<string, string> = rangeQuery(q) as Record<string, string>;
  for (const name of ["channel", "segment", "locale"]) {
    const value = q.get(name);
    if (value) wanted[name] = value;
  }
  return hrefOf(`/api/themes/${encodeURIComponent(touchpoint)}`, wanted);
}

/** The themes of a touchpoint's comments. Pressing one lists its comments. */
export function Themes(props: { touchpoint: string }): VNode {
  const t = texts(words);
  const live = useLive<Answer>(() => path(props.touchpoint));
  return (
    <div class="themes">
      <Loaded
        live={live}
        skeleton={
          <>
            <Bone height="16rem" />
            <Bone height="16rem" />
          </>
        }
      >
        {(data) => (
          <>
            <p class="soft">
              {count(t.read, data.comments)}
              {!data.complete && ` ${fill(t.since, { date: date(data.since) })}`}
            </p>
            {data.comments < fewComments && data.unhappy.length + data.happy.length + data.rising.length === 0 ? (
              <p class="nothing">{t.tooFew}</p>
            ) : (
              <>
                <List id="unhappy" title={t.unhappy} about={t.unhappyCounts} tone="bad" themes={data.unhappy} none={t.noneUnhappy} />
                <List id="rising" title={t.rising} about={t.risingCounts} tone="mid" themes={data.rising} none={t.noneRising} />
                <List id="happy" title={t.happy} about={t.happyCounts} tone="good" themes={data.happy} none={t.noneHappy} />
              </>
            )}
          </>
        )}
      </Loaded>
    </div>
  );
}

function List(props: { id: string; title: string; about: string; tone: string; themes: Theme[]; none: string }): VNode {
  const t = texts(words);
  const { themes } = props;
  const most = Math.max(1, ...themes.map((x) => x.in));
  return (
    <section aria-labelledby={`themes-${props.id}`}>
      <h3 id={`themes-${props.id}`}>{props.title}</h3>
      {themes.length === 0 ? (
        <p class="soft">{props.none}</p>
      ) : (
        <ol>
          {themes.map((x) => (
            <li key={x.locale + x.q}>
              <button type="button" class="pick" onClick={() => go(withQuery({ q: x.q, view: null }))} aria-label={fill(t.show, { words: x.words })}>
                <span lang={x.locale}>{x.words}</span>
              </button>
              <span class="track" aria-hidden="true">
                <i class={props.tone} style={{ width: `${(100 * x.in) / most}%` }} />
              </span>
              <span class="counts">{fill(props.about, { n: number(x.in), of: number(x.of), against: number(x.against), againstOf: number(x.againstOf) })}</span>
              <q lang={x.locale}>{x.example}</q>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
