import { swagger } from '@elysiajs/swagger'
import { type AnyElysia, Elysia } from 'elysia'
import type { RouteFields } from './deprecations.ts'
import { openApiDocument } from './openapi/document.ts'

const PAGE = '/api/docs'
const DOCUMENT = `${PAGE}/json`
const ASSETS = ['swagger-ui.css', 'swagger-ui-bundle.js']
/** Of type `object`, because the plugin's type lacks `url`. The plugin's own URL is relative to the page. */
const OPTIONS: object = {
  url: DOCUMENT,
  deepLinking: true,
  persistAuthorization: true,
  docExpansion: 'none',
  filter: true,
}
/** The host from which the plugin's page loads its script. */
const FOREIGN = /https:\/\/unpkg\.com\/swagger-ui-dist@[^/]*\//

/**
 * `/api/docs` is a page of Swagger UI, `/api/docs/json` the OpenAPI document. The page loads only files of this server, so
 * it works without the internet and runs no code of another host.
 * @param app gives the whole app, which does not exist yet when these routes are made
 */
export function docs(app: () => AnyElysia, fields: RouteFields, publicUrl: string | undefined) {
  const hide = { detail: { hide: true } }
  const plugin = swagger({
    provider: 'swagger-ui',
    path: PAGE,
    specPath: DOCUMENT,
    theme: `${PAGE}/swagger-ui.css`,
    documentation: { info: { title: 'Roost API', version: '', description: 'The HTTP APIs of this server' } },
    swaggerOptions: OPTIONS,
  })
  let page: Promise<string> | undefined
  let document: string | undefined
  const instance = new Elysia({ name: 'docs' })
    .use(plugin)
    // These two replace the plugin's routes: its page loads a script from another host, and its document is OpenAPI 3.0.
    .get(
      PAGE,
      async () => {
        page ??= plugin.handle(new Request(`http://localhost${PAGE}`)).then((answer) => answer.text())
        const text = (await page).replace(FOREIGN, `${PAGE}/`)
        return new Response(text, { headers: { 'content-type': 'text/html; charset=utf-8' } })
      },
      hide,
    )
    .get(
      DOCUMENT,
      () => {
        document ??= JSON.stringify(openApiDocument(app(), fields, publicUrl))
        return new Response(document, { headers: { 'content-type': 'application/json' } })
      },
      hide,
    )
  for (const asset of ASSETS) {
    const file = Bun.file(Bun.resolveSync(`swagger-ui-dist/${asset}`, import.meta.dir))
    instance.get(
      `${PAGE}/${asset}`,
      () => new Response(file, { headers: { 'cache-control': 'public, max-age=86400' } }),
      hide,
    )
  }
  return instance
}
