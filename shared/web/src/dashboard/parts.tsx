// Parts that several pages are made of.
import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { ReadonlySignal } from "@preact/signals";
import { online, type Live, type Problem } from "./api.ts";
import { texts } from "./locale.ts";
import { address, moves } from "./router.ts";
import app from "./texts/app.json";

/** The change of view whose heading had the focus last. */
let focused = 0;

/** Names the page, in the browser's tab and for who hears it: the heading gets the focus when the view changes. */
export function Title(props: { children: string; hidden?: boolean }): VNode {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (moves === focused) return;
    focused = moves;
    heading.current?.focus({ preventScroll: true });
  }, []);
  useEffect(() => {
    document.title = `${props.children} · Pulssi`;
  }, [props.children]);
  return (
    <h1 ref={heading} tabIndex={-1} id="title" class={props.hidden ? "unseen" : ""}>
      {props.children}
    </h1>
  );
}

/** Shows live data: a skeleton of its size while there is none, what went wrong where it cannot be had, and beside the last data why they are not the newest. */
export function Loaded<T>(props: { live: ReadonlySignal<Live<T>>; skeleton: VNode; children: (data: T) => ComponentChildren }): VNode {
  const { data, problem, stale } = props.live.value;
  const t = texts(app);
  if (data === null) {
    if (problem) return <Trouble problem={problem} />;
    return (
      <div class="waiting" aria-busy="true">
        <span class="unseen" role="status">
          {t.loading}
        </span>
        {props.skeleton}
      </div>
    );
  }
  return (
    <div class={stale ? "loaded stale" : "loaded"} aria-busy={stale}>
      {problem && online.value && (
        <p class="note warn" role="status">
          {t.failing}
        </p>
      )}
      {props.children(data)}
    </div>
  );
}

/** What went wrong, as far as it matters here. */
type What = Pick<Problem, "status"> & Partial<Pick<Problem, "field">>;

/** Why something cannot be had, in words of the page's language: the API's own are for programs. */
export function problemText(problem: What): string {
  const t = texts(app);
  const { status, field = "" } = problem;
  if (status === 0) return t.unreached;
  if (status >= 500) return t.unanswered;
  if (status === 403) return t.forbiddenAbout;
  if (status === 404) return field === "segment" ? t.noSegmentAbout : t.notFoundAbout;
  return t.refusedFields[field as keyof typeof t.refusedFields] ?? t.refusedAbout;
}

/** What cannot be shown, and why. Where the choices in the address are to blame, it leads to the same page without them. */
export function Trouble(props: { problem: What }): VNode {
  const t = texts(app);
  const { status, field } = props.problem;
  const part = status === 404 && field === "segment";
  const title = part ? t.noSegment : status === 404 ? t.notFound : status === 403 ? t.forbidden : status === 0 || status >= 500 ? t.failed : t.refused;
  const { path, query } = address.value;
  const again = (part || status === 400) && query.size > 0;
  return (
    <section class="trouble" role="alert">
      <h2>{title}</h2>
      <p>{problemText(props.problem)}</p>
      <p>
        <a class="button" href={again ? path : "/dashboard"}>
          {again ? t.withoutChoices : t.toOverview}
        </a>
      </p>
    </section>
  );
}

/** A grey stand-in of some height, in CSS units, for what is not there yet. */
export function Bone(props: { height: string; width?: string }): VNode {
  return <div class="bone" style={{ height: props.height, width: props.width ?? "100%" }} />;
}
