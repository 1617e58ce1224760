// The sign-in of the local stack: an OpenID provider with the addresses and the
// tokens of an Amazon Cognito user pool, and people who have no passwords.
//
//   node scripts/signin/provider.mjs '{"dashboard":"http://localhost:8080","program":"ID","secret":"…"}'
//
// It listens on a free port of this machine, prints {"issuer":"http://localhost:PORT"},
// and ends when its standard input does. Everything is in memory: keys, sessions
// and tokens end with it.
//
// Unlike Cognito it has the pages of the sign-in at the address of the issuer,
// access tokens name their audience (aud) beside the client, and a refresh token
// that was used already ends all that came of it, without a time of grace.
import { createServer } from 'node:http'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Provider } from 'oidc-provider'
import { choice, failure, headers, language } from './page.mjs'

const { dashboard, program, secret } = JSON.parse(process.argv[2])
const people = JSON.parse(readFileSync(new URL('people.json', import.meta.url)))
const person = (id) => people.find((p) => p.id === id)

const client = 'dashboard'
const signedOut = `${dashboard}/dashboard`
// The scopes of people's tokens, and those of programs': the names of the user
// pool's resource server with the roles.
const scopes = 'openid email profile'
const roles = ['viewer', 'agent', 'admin'].map((role) => `pulssi/${role}`)
// An access token is a JWT where it is for a resource.
const resource = 'urn:pulssi'

const minute = 60
const hour = 60 * minute
const day = 24 * hour

// Cookies are shared by all ports of a machine.
const cookies = { session: 'pulssi_signin', interaction: 'pulssi_signin_asked', resume: 'pulssi_signin_resume' }

function signingKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: randomBytes(8).toString('hex') }
}

const server = createServer()
await new Promise((resolve, reject) => {
  server.once('error', reject)
  server.listen(0, '127.0.0.1', resolve)
})
const issuer = `http://localhost:${server.address().port}`

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: client,
      token_endpoint_auth_method: 'none', // and so with PKCE
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [`${dashboard}/dashboard/signin`],
      scope: scopes,
    },
    {
      client_id: program,
      client_secret: secret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      scope: 'pulssi/agent',
    },
  ],
  routes: { authorization: '/oauth2/authorize', token: '/oauth2/token', jwks: '/.well-known/jwks.json', userinfo: '/oauth2/userInfo' },
  scopes: [...scopes.split(' '), ...roles],
  claims: { openid: ['sub', 'cognito:groups'], email: ['email'], profile: ['name'] },
  conformIdTokenClaims: false, // Cognito puts all of them into the ID token
  jwks: { keys: [signingKey()] },
  cookies: { names: cookies, keys: [randomBytes(32).toString('hex')] },
  clientBasedCORS: (_, origin) => origin === dashboard,
  findAccount: (_, id) => {
    const p = person(id)
    return p && { accountId: id, claims: () => ({ sub: id, name: p.name, email: p.email, 'cognito:groups': p.groups }) }
  },
  // Nobody is asked to consent: whoever signs in has come to see the dashboard.
  loadExistingGrant: async (ctx) => {
    const grant = new provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId })
    grant.addOIDCScope(scopes)
    grant.addResourceScope(resource, scopes)
    await grant.save()
    return grant
  },
  issueRefreshToken: (_, of) => of.grantTypeAllowed('refresh_token'),
  expiresWithSession: () => false,
  ttl: { AccessToken: hour, IdToken: hour, ClientCredentials: hour, RefreshToken: 30 * day, AuthorizationCode: 5 * minute, Interaction: hour, Session: hour, Grant: 30 * day },
  interactions: { url: (_, asked) => `/signin/${asked.uid}` },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    rpInitiatedLogout: { enabled: false }, // see signOut
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, __, of) => ({
        scope: [scopes, ...roles].join(' '), audience: of.clientId, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
  formats: {
    customizers: {
      jwt: (_, token, { payload }) => {
        const p = person(payload.sub)
        Object.assign(payload, { token_use: 'access', version: 2 }, p && { username: p.id, 'cognito:groups': p.groups })
      },
    },
  },
  renderError: (ctx, out) => {
    ctx.set(headers(dashboard))
    ctx.body = failure(language(ctx.get('accept-language')), `${out.error}: ${out.error_description ?? ''}`)
  },
})

function answer(res, status, body) {
  res.writeHead(status, headers(dashboard)).end(body)
}

// ask shows the people to choose from, and takes the choice.
async function ask(req, res, lang) {
  const { uid } = await provider.interactionDetails(req, res)
  if (req.method === 'GET') {
    answer(res, 200, choice(lang, people, `/signin/${uid}`))
    return
  }
  let body = ''
  for await (const chunk of req) {
    body += chunk
    if (body.length > 1000) {
      answer(res, 413, failure(lang, 'the form is too large'))
      return
    }
  }
  const id = new URLSearchParams(body).get('person')
  if (!person(id)) {
    answer(res, 400, failure(lang, 'person must be one of the list'))
    return
  }
  await provider.interactionFinished(req, res, { login: { accountId: id } })
}

// signOut ends the session with the provider, as Cognito's logout endpoint does:
// tokens that were issued live on.
function signOut(url, res, lang) {
  if (url.searchParams.get('client_id') !== client || url.searchParams.get('logout_uri') !== signedOut) {
    answer(res, 400, failure(lang, `client_id must be ${client}, and logout_uri ${signedOut}`))
    return
  }
  const gone = [cookies.session, `${cookies.session}.sig`].map((name) => `${name}=; path=/; max-age=0; httponly; samesite=lax`)
  res.writeHead(302, { location: signedOut, 'set-cookie': gone, 'cache-control': 'no-store' }).end()
}

const others = provider.callback()
server.on('request', async (req, res) => {
  const lang = language(req.headers['accept-language'])
  try {
    const url = new URL(req.url, issuer)
    if (/^\/signin\/[\w-]+$/.test(url.pathname) && (req.method === 'GET' || req.method === 'POST')) await ask(req, res, lang)
    else if (url.pathname === '/logout' && req.method === 'GET') signOut(url, res, lang)
    else others(req, res)
  } catch (error) {
    answer(res, 400, failure(lang, error.error_description ?? error.message))
  }
})

console.log(JSON.stringify({ issuer, client }))
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
