import { basename } from 'node:path'
import { swagger } from '@elysiajs/swagger'
import { type AnyElysia, Elysia } from 'elysia'
import { inSlices } from '../util/slices.ts'
import { asyncApiDocument } from './asyncapi/document.ts'
import { SOCKETS_ASSETS, socketsPage } from './asyncapi/page.ts'
import type { Call } from './chapter.ts'
import type { RouteFields } from './deprecations.ts'
import { type OpenApiDocuments, openApiDocuments } from './openapi/document.ts'
import { sendFile, textFile } from './static-file.ts'

const PAGE = '/api/docs'
const ASSETS = ['swagger-ui.css', 'swagger-ui-bundle.js', 'swagger-ui-standalone-preset.js']
/** The host from which the plugin's page loads its script. */
const FOREIGN = /<script src="https:\/\/unpkg\.com\/swagger-ui-dist@[^/]*\/swagger-ui-bundle\.js"[^>]*>/
/** With the preset, the page has a list of the documents. It is code, and the plugin's options are JSON. */
const START = 'SwaggerUIBundle({'
const START_WITH_LIST = `${START}"presets":[SwaggerUIBundle.presets.apis,SwaggerUIStandalonePreset],`

const HTML = 'text/html; charset=utf-8'
/**
 * The pages run only scripts of this server, and no other page may frame them: that of Swagger UI keeps the user's access token.
 * @param more further directives
 */
const policy = (scripts: string[], styles: string[], ...more: string[]) =>
  [
    "default-src 'none'",
    ["script-src 'self'", ...scripts].join(' '),
    ["style-src 'self'", ...styles].join(' '),
    'img-src data: blob:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    ...more,
  ].join('; ')

const addressOf = (contract: string) => `${PAGE}/${contract}/json`

/** Of type `object`, because the plugin's type lacks `urls`. */
const optionsFor = (contracts: readonly string[]): object => ({
  // The plugin's own address is relative to the page.
  url: undefined,
  urls: [{ name: 'all', url: `${PAGE}/json` }, ...contracts.map((name) => ({ name, url: addressOf(name) }))],
  layout: 'StandaloneLayout',
  deepLinking: true,
  persistAuthorization: true,
  docExpansion: 'none',
  filter: true,
})

/**
 * `/api/docs` is a page of Swagger UI, `/api/docs/json` the OpenAPI document of the whole server, and `/api/docs/<contract>/json`
 * that of one contract. `/api/docs/live` is the page of the sockets, `/api/docs/live/json` their AsyncAPI document. The pages
 * load only files of this server, so they work without the internet and run no code of another host.
 * @param app gives the whole app, which does not exist yet when these routes are made
 * @param contracts the names of the contracts
 */
export function docs(
  app: () => AnyElysia,
  fields: RouteFields,
  publicUrl: string | undefined,
  contracts: readonly string[],
) {
  const hide = { detail: { hide: true } }
  const plugin = swagger({
    provider: 'swagger-ui',
    path: PAGE,
    specPath: `${PAGE}/json`,
    theme: `${PAGE}/swagger-ui.css`,
    documentation: { info: { title: 'Roost API', version: '', description: 'The HTTP APIs of this server' } },
    swaggerOptions: optionsFor(contracts),
  })
  let documents: Promise<OpenApiDocuments> | undefined
  const ofServer = () => {
    documents ??= inSlices(openApiDocuments(app(), fields, publicUrl))
    return documents
  }
  const instance = new Elysia({ name: 'docs' })
    .use(plugin)
    // These two replace the plugin's routes: its page loads a script from another host, and its document is OpenAPI 3.0.
    .get(
      PAGE,
      madeOnce(
        HTML,
        () => pageOf(plugin),
        (page) => policy(hashesOf(page), ["'unsafe-inline'"], connectTo(publicUrl)),
      ),
      hide,
    )
    .get(
      `${PAGE}/json`,
      madeOnce('application/json', async () => JSON.stringify((await ofServer()).all)),
      hide,
    )
    .get(
      `${PAGE}/live/json`,
      madeOnce('application/json', () => JSON.stringify(asyncApiDocument(publicUrl))),
      hide,
    )
    .get(
      `${PAGE}/live`,
      madeOnce(
        HTML,
        () => socketsPage(asyncApiDocument(publicUrl), PAGE),
        () => policy([], []),
      ),
      hide,
    )
  for (const name of contracts) {
    const make = async () => JSON.stringify((await ofServer()).contracts[name])
    instance.get(addressOf(name), madeOnce('application/json', make), hide)
  }
  const files = [...ASSETS.map((asset) => `swagger-ui-dist/${asset}`), ...SOCKETS_ASSETS]
  for (const path of files) {
    const file = Bun.file(Bun.resolveSync(path, import.meta.dir))
    const asset = basename(path)
    instance.get(
      `${PAGE}/${asset}`,
      () => new Response(file, { headers: { 'cache-control': 'public, max-age=86400' } }),
      hide,
    )
  }
  return instance
}

/**
 * A handler whose answer is made at the first request.
 * @param policyOf gives the Content-Security-Policy of the text, when it is a page
 */
function madeOnce(
  type: string,
  make: () => string | Promise<string>,
  policyOf?: (text: string) => string,
): (call: Pick<Call, 'request' | 'set'>) => Promise<Response> {
  const makeAll = async () => {
    const text = await make()
    const headers = {
      ...(policyOf && { 'content-security-policy': policyOf(text) }),
      'cache-control': 'no-cache',
    }
    return { file: textFile(type, text), headers }
  }
  let made: ReturnType<typeof makeAll> | undefined
  return async (call) => {
    made ??= makeAll()
    const { file, headers } = await made
    return sendFile(call, file, headers)
  }
}

/** The sources in a policy that let the scripts inside the HTML run, and no others (CSP 3, 2.3.1). */
const hashesOf = (html: string): string[] =>
  [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(
    ([, script]) => `'sha256-${new Bun.CryptoHasher('sha256').update(script!).digest('base64')}'`,
  )

/** The documents, and the routes that the user tries: they are at PUBLIC_URL. */
const connectTo = (publicUrl: string | undefined): string =>
  ["connect-src 'self'", ...(publicUrl ? [new URL(publicUrl).origin] : [])].join(' ')

async function pageOf(plugin: AnyElysia): Promise<string> {
  const [, ...scripts] = ASSETS.map((asset) => `<script src="${PAGE}/${asset}">`)
  const answer = await plugin.handle(new Request(`http://localhost${PAGE}`))
  return (await answer.text()).replace(FOREIGN, scripts.join('</script>')).replace(START, START_WITH_LIST)
}
