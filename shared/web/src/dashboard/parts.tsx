// Parts that several pages are made of.
import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { ReadonlySignal } from "@preact/signals";
import { online, type Live } from "./api.ts";
import { texts } from "./locale.ts";
import { moves } from "./router.ts";
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

/** What cannot be shown, and why. */
export function Trouble(props: { problem: { status: number; message: string } }): VNode {
  const t = texts(app);
  const { status, message } = props.problem;
  const [title, about] =
    status === 404 ? [t.notFound, t.notFoundAbout] : status === 403 ? [t.forbidden, t.forbiddenAbout] : status === 0 ? [t.failed, t.offline] : status >= 500 ? [t.failed, t.failing] : [t.refused, ""];
  return (
    <section class="trouble" role="alert">
      <h2>{title}</h2>
      {about ? <p>{about}</p> : <p lang="en">{message}</p>}
      <p>
        <a class="button" href="/dashboard">
          {t.toOverview}
        </a>
      </p>
    </section>
  );
}

/** A grey stand-in of some height, in CSS units, for what is not there yet. */
export function Bone(props: { height: string; width?: string }): VNode {
  return <div class="bone" style={{ height: props.height, width: props.width ?? "100%" }} />;
}
