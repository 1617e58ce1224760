// A question that has to be answered before anything else is done.
import type { ComponentChildren, VNode } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Problem } from "./api.ts";
import { texts } from "./locale.ts";
import app from "./texts/app.json";
import words from "./texts/dialog.json";

/** Shows its children over the page while it is open. Escape closes it, and the focus goes back to where it was. */
export function Dialog(props: { open: boolean; title: string; onClose: () => void; children: ComponentChildren }): VNode {
  const box = useRef<HTMLDialogElement>(null);
  const title = useId();
  useEffect(() => {
    const dialog = box.current!;
    if (props.open && !dialog.open) dialog.showModal();
    if (!props.open && dialog.open) dialog.close();
  }, [props.open]);
  return (
    <dialog ref={box} class="dialog" aria-labelledby={title} onClose={props.onClose}>
      {props.open && (
        <>
          <h2 id={title}>{props.title}</h2>
          {props.children}
        </>
      )}
    </dialog>
  );
}

/** Asks whether to do what cannot be undone. It closes when that is done, and tells why where it cannot be. */
export function Confirm(props: { open: boolean; title: string; action: string; run: () => Promise<unknown>; onClose: () => void; words?: Record<string, string>; children: ComponentChildren }): VNode {
  const { busy, problem, attempt, clear } = useAttempt();
  const close = () => {
    clear();
    props.onClose();
  };
  return (
    <Dialog open={props.open} title={props.title} onClose={close}>
      {props.children}
      <Failure problem={problem} {...(props.words ? { words: props.words } : {})} />
      <div class="actions">
        <button type="button" autofocus onClick={close}>
          {texts(app).cancel}
        </button>
        <button type="button" class="danger" disabled={busy} onClick={() => void attempt(props.run).then((done) => done && close())}>
          {props.action}
        </button>
      </div>
    </Dialog>
  );
}

/** Something that is done once at a time, and may fail. */
export interface Attempt {
  busy: boolean;
  problem: Problem | null;
  /** Does it; true where it was done. */
  attempt: (run: () => Promise<unknown>) => Promise<boolean>;
  clear: () => void;
}

export function useAttempt(): Attempt {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const attempt = async (run: () => Promise<unknown>) => {
    setBusy(true);
    setProblem(null);
    try {
      await run();
      return true;
    } catch (e) {
      setProblem(e instanceof Problem ? e : new Problem(0, "failed", "", String(e)));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, attempt, clear: () => setProblem(null) };
}

/** Why something was not done; words are the area's own for what can go wrong, by field or code. */
export function Failure(props: { problem: Problem | null; words?: Record<string, string> }): VNode | null {
  const p = props.problem;
  if (!p) return null;
  const t = texts(words);
  const known = props.words?.[p.field] ?? props.words?.[p.code];
  const text = known ?? (p.status === 0 ? t.offline : p.status === 404 ? t.gone : p.status >= 500 ? t.failed : p.message || t.failed);
  return (
    <p class="failure" role="alert">
      {text}
    </p>
  );
}
