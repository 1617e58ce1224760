// Holds the e-mails to what mail programs show, by the data of caniemail.com:
//
//   node scripts/letters.mjs FILE.html...
//
// prints what a program does not show though meaning hangs on it, and fails.
import { readFileSync } from 'node:fs'
import { caniemail } from 'caniemail'

const clients = ['apple-mail.*', 'gmail.*', 'outlook.*']

// What may be missing in some program, by the name that the data have for it,
// and why nothing is lost there.
const spare = {
  'color-scheme CSS property': 'the letter is shown light, or darkened by the program',
  'color-scheme meta tag': 'the letter is shown light, or darkened by the program',
  '@media': 'the letter is shown light, or darkened by the program',
  '<style> element': 'it holds the dark colours alone',
  'border-radius': 'corners are square',
  'box-sizing': 'an answer is 4 pixels larger',
  'min-width property': 'Outlook gets a table whose cells have a width',
  'max-height property': 'the preheader is hidden by mso-hide there',
  'overflow': 'the preheader is hidden by mso-hide there',
  'display:none': 'the preheader is shown: a line that is true',
  '<body> element': 'the outermost table has the same colour',
  'role attribute': 'a screen reader may tell of a table',
  'word-break': 'a word that is longer than the window is wide makes the letter wider',
  'aria-label attribute': 'the answer itself is the text of the link, and its name the title',
}

let failed = 0
for (const file of process.argv.slice(2)) {
  const { issues } = caniemail({ clients, html: readFileSync(file, 'utf8') })
  const missing = new Map()
  for (const [client, list] of issues.errors) {
    for (const { title } of list) {
      if (!(title in spare)) missing.set(title, (missing.get(title) ?? new Set()).add(client))
    }
  }
  for (const [title, where] of missing) {
    console.error(`${file}: ${title} is not shown by ${[...where].join(', ')}`)
    failed++
  }
}
if (process.argv.length < 3) {
  console.error('name the HTML files to look at')
  failed++
}
process.exit(failed ? 1 : 0)
