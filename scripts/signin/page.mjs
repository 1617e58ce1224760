// The page on which one chooses who to be.

const texts = {
  fi: {
    title: 'Kirjaudu sisään',
    lead: 'Valitse, kenenä katsot. Salasanaa ei kysytä: nämä käyttäjät ovat vain tällä koneella.',
    failed: 'Kirjautuminen ei onnistunut',
    again: 'Avaa raportit uudelleen ja kirjaudu sieltä.',
  },
  sv: {
    title: 'Logga in',
    lead: 'Välj vem du är. Inget lösenord behövs: de här användarna finns bara på den här datorn.',
    failed: 'Inloggningen misslyckades',
    again: 'Öppna rapporterna på nytt och logga in därifrån.',
  },
  en: {
    title: 'Sign in',
    lead: 'Choose who to be. There are no passwords: these people are on this machine alone.',
    failed: 'Signing in failed',
    again: 'Open the dashboard again, and sign in from there.',
  },
}

const style = `
:root { color-scheme: light dark; --page: #f6f7f9; --sheet: #fff; --ink: #17212b; --soft: #4c5a67; --line: #7b8793; --main: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --page: #11161b; --sheet: #1a2229; --ink: #e8edf2; --soft: #a9b6c2; --line: #83909c; --main: #7fbcf5; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem 1rem; background: var(--page); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { width: min(26rem, 100%); }
.brand { margin: 0; font-weight: 700; color: var(--main); letter-spacing: .04em; }
h1 { margin: 0 0 .4rem; font-size: 1.9rem; line-height: 1.2; }
p { margin: 0 0 1rem; overflow-wrap: anywhere; }
form { display: grid; gap: .6rem; }
button { display: block; width: 100%; padding: .7rem 1rem; font: inherit; color: inherit; text-align: start; background: var(--sheet); border: 1px solid var(--line); border-radius: .6rem; cursor: pointer; }
button:hover { border-color: var(--main); }
button:focus-visible { outline: 3px solid var(--main); outline-offset: 2px; }
strong, small { display: block; }
small { color: var(--soft); font-size: .9rem; }
`

const html = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)

// language returns the one of the texts that a browser likes best.
export function language(accept = '') {
  const liked = accept.split(',').map((part) => {
    const [tag, ...options] = part.trim().toLowerCase().split(';')
    const q = options.map((o) => o.trim()).find((o) => o.startsWith('q='))
    return { tag: tag.split('-')[0], q: q === undefined ? 1 : Number(q.slice(2)) || 0 }
  })
  liked.sort((a, b) => b.q - a.q)
  return liked.find(({ tag, q }) => q > 0 && tag in texts)?.tag ?? 'en'
}

// headers are those of the pages. A browser holds form-action against where the
// form's answer leads too, which is the dashboard in the end.
export function headers(dashboard) {
  return {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy':
      `default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self' ${dashboard}; base-uri 'none'; frame-ancestors 'none'`,
  }
}

function page(lang, title, body) {
  return `<!DOCTYPE html>
<html lang="${lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html(title)} – Pulssi</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<main>
<p class="brand">Pulssi</p>
<h1>${html(title)}</h1>
${body}
</main>
</body>
</html>
`
}

// choice is the page with a button for each of the people.
export function choice(lang, people, action) {
  const t = texts[lang]
  const buttons = people.map((p) =>
    `<button name="person" value="${html(p.id)}"><strong>${html(p.name)}</strong><small>${html(p.about[lang])}</small></button>`)
  return page(lang, t.title, `<p>${html(t.lead)}</p>
<form method="post" action="${html(action)}">
${buttons.join('\n')}
</form>`)
}

// failure is the page that says why nobody could sign in.
export function failure(lang, why) {
  const t = texts[lang]
  return page(lang, t.failed, `<p>${html(t.again)}</p>\n<p><small lang="en">${html(why)}</small></p>`)
}
