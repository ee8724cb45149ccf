import { swagger } from '@elysiajs/swagger'
import { type AnyElysia, Elysia } from 'elysia'
import { openApiDocument } from './openapi/document.ts'

const PAGE = '/api/docs'
const DOCUMENT = `${PAGE}/json`
const ASSETS = ['swagger-ui.css', 'swagger-ui-bundle.js']
/** An object, because the plugin's type leaves out `url`, which its own is relative to the page. */
const OPTIONS: object = {
  url: DOCUMENT,
  deepLinking: true,
  persistAuthorization: true,
  docExpansion: 'none',
  filter: true,
}
/** Where the plugin's page loads its script from. */
const FOREIGN = /https:\/\/unpkg\.com\/swagger-ui-dist@[^/]*\//

/**
 * `/api/docs`: the page, Swagger UI from this server's own files: it works without the internet, and no other host runs
 * code in it. `/api/docs/json`: the OpenAPI document.
 * @param app the whole server, once it is put together
 */
export function docs(app: () => AnyElysia, publicUrl: string | undefined) {
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
    // In place of the plugin's own two, whose page loads a script from another host, and whose document is OpenAPI 3.0.
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
        document ??= JSON.stringify(openApiDocument(app(), publicUrl))
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
