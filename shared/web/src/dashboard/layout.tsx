// What is around every page: the menu, language and theme, and what is wrong.
import type { ComponentChildren, VNode } from "preact";
import { signal } from "@preact/signals";
import { online } from "./api.ts";
import type { Locale, Me } from "./contract.ts";
import { locale, locales, setLocale, texts } from "./locale.ts";
import { may } from "./me.ts";
import { address } from "./router.ts";
import { signOut, user } from "./signin.ts";
import app from "./texts/app.json";

type Theme = "auto" | "light" | "dark";
const kept = "pulssi.theme";

/** Light or dark; auto is as the device. */
export const theme = signal<Theme>((localStorage.getItem(kept) as Theme | null) ?? "auto");

/** Shows the theme that was chosen, and the language, on the document. */
export function dress(): void {
  const root = document.documentElement;
  if (theme.value === "auto") root.removeAttribute("data-theme");
  else root.setAttribute("data-theme", theme.value);
  root.lang = locale.value;
}

/** Whether language, theme and signing out are unfolded, on a phone. */
const open = signal(false);

function setTheme(t: Theme): void {
  localStorage.setItem(kept, t);
  theme.value = t;
}

function Choices(): VNode {
  const t = texts(app);
  return (
    <div class="choices">
      <label>
        <span class="unseen">{t.language}</span>
        <select id="language" value={locale.value} onChange={(e) => setLocale(e.currentTarget.value as Locale)}>
          {locales.map((l) => (
            <option key={l} value={l} lang={l}>
              {t[`language.${l}`]}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span class="unseen">{t.theme}</span>
        <select id="theme" value={theme.value} onChange={(e) => setTheme(e.currentTarget.value as Theme)}>
          {(["auto", "light", "dark"] as const).map((name) => (
            <option key={name} value={name}>
              {t.themes[name]}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

/** The frame of a page. me is null where nobody has signed in: then there is no menu. While that is being found out, the menu's room is kept. */
export function Layout(props: { me: Me | null; waiting?: boolean; children: ComponentChildren }): VNode {
  const t = texts(app);
  const { me, waiting } = props;
  const agent = waiting || (me !== null && may(me, "agent"));
  const path = address.value.path;
  const link = (to: string, name: string, current: boolean) => (
    <a href={to} aria-current={current ? "page" : undefined}>
      {name}
    </a>
  );
  return (
    <>
      <a class="skip" href="#content">
        {t.skip}
      </a>
      <header class="top">
        <a class="brand" href={me ? "/dashboard" : path}>
          <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
            <rect width="32" height="32" rx="9" />
            <path d="M5 17h6l3-8 5 15 3-7h5" />
          </svg>
          Pulssi
        </a>
        {(me || waiting) && (
          <nav aria-label={t.nav} class={waiting ? "kept" : ""}>
            {link("/dashboard", t.overview, path === "/dashboard" || path.startsWith("/dashboard/t/"))}
            {agent && link("/dashboard/people", t.people, path.startsWith("/dashboard/people"))}
            {link("/dashboard/settings", t.settings, path.startsWith("/dashboard/settings") || path === "/dashboard/audit")}
            {agent && link("/dashboard/shares", t.shares, path.startsWith("/dashboard/shares"))}
          </nav>
        )}
        <button type="button" class="unfold" aria-expanded={open.value} aria-controls="account" onClick={() => (open.value = !open.value)}>
          <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
            <path d="M3 5h14M3 10h14M3 15h14" />
          </svg>
          <span class="unseen">{t.menu}</span>
        </button>
        <div id="account" class={open.value ? "account open" : "account"}>
          <Choices />
          {(me || waiting) && (
            <div class={waiting ? "user kept" : "user"}>
              <span>{user.value}</span>
              <button type="button" class="plain" onClick={signOut}>
                {t.signOut}
              </button>
            </div>
          )}
        </div>
      </header>
      <div class="notices" role="status">
        {!online.value && <p class="note warn">{t.offline}</p>}
        {me?.demo && <p class="note">{t.demo}</p>}
      </div>
      {/* Another one than while waiting: what comes does not move what was there. */}
      <main key={waiting ? "waiting" : "page"} id="content" tabIndex={-1}>
        {props.children}
      </main>
    </>
  );
}
