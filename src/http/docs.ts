import { swagger } from '@elysiajs/swagger'
import { Elysia } from 'elysia'
import { version } from '../../package.json'

const ASSETS = ['swagger-ui.css', 'swagger-ui-bundle.js']

/** Swagger UI from this server's own files: it works without the internet, and no other host runs code in it. */
const PAGE = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Roost API</title>
  <link rel="stylesheet" href="/api/docs/swagger-ui.css">
</head>
<body>
  <div id="swagger-ui"></div>
  <script src="/api/docs/swagger-ui-bundle.js"></script>
  <script>
    SwaggerUIBundle({
      url: '/api/docs/json',
      dom_id: '#swagger-ui',
      deepLinking: true,
      persistAuthorization: true,
      docExpansion: 'none',
      filter: true,
    })
  </script>
</body>
</html>`

/** `/api/docs`: the page, and `/api/docs/json`: the OpenAPI document of every route with a summary. */
export function docs() {
  const hide = { detail: { hide: true } }
  const app = new Elysia({ name: 'docs' })
    .use(
      swagger({
        // The plugin's own page would load scripts from another host: this path is its document's, which takes it over.
        path: '/api/docs/json',
        specPath: '/api/docs/json',
        // Else a route with a dot in its path, such as the calendar feed, would be taken for one.
        excludeStaticFile: false,
        documentation: {
          info: {
            title: 'Roost',
            version,
            description:
              'Five HTTP APIs on one server. Sign in on any of them, then put the access token into Authorize. ' +
              'The live channel is a WebSocket at /ws/connect, the socket of GPU nodes at /ws/node.',
          },
          components: {
            securitySchemes: { bearerAuth: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
          },
        },
      }),
    )
    .get(
      '/api/docs',
      () => new Response(PAGE, { headers: { 'content-type': 'text/html; charset=utf-8' } }),
      hide,
    )
  for (const asset of ASSETS) {
    const file = Bun.file(Bun.resolveSync(`swagger-ui-dist/${asset}`, import.meta.dir))
    app.get(
      `/api/docs/${asset}`,
      () => new Response(file, { headers: { 'cache-control': 'public, max-age=86400' } }),
      hide,
    )
  }
  return app
}
