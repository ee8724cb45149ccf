import { cors } from '@elysiajs/cors'
import { type AnyElysia, Elysia, type TSchema } from 'elysia'
import { factory } from './contracts/factory/contract.ts'
import { factoryRoutes } from './contracts/factory/index.ts'
import { learning } from './contracts/learning/contract.ts'
import { learningRootRoutes, learningRoutes } from './contracts/learning/index.ts'
import { portfolio } from './contracts/portfolio/contract.ts'
import { portfolioRoutes } from './contracts/portfolio/index.ts'
import { resumableOptions } from './contracts/portfolio/upload/resumable.ts'
import { runtime } from './contracts/runtime/contract.ts'
import { runtimeRoutes } from './contracts/runtime/index.ts'
import { study } from './contracts/study/contract.ts'
import { studyRoutes } from './contracts/study/index.ts'
import { studyFactoryRoutes } from './contracts/study-factory/index.ts'
import { buildPage } from './dashboard/build.ts'
import { clientOf } from './http/client.ts'
import { type Contract, defineContract } from './http/contract.ts'
import { DEPRECATIONS, type Deprecation, RouteFields } from './http/deprecations.ts'
import { docs } from './http/docs.ts'
import { IDLE_SECONDS } from './http/idle.ts'
import { readJsonBody } from './http/json-body.ts'
import { Maintenance } from './http/maintenance.ts'
import { metricsRoute } from './http/metrics.ts'
import { HEADER_NAMES } from './http/openapi/headers.ts'
import { page } from './http/page.ts'
import { problem } from './http/problem.ts'
import { RequestLimits } from './http/rate-limits.ts'
import { readyRoute } from './http/ready.ts'
import { requestLog } from './http/request-log.ts'
import { RequestMetrics } from './http/request-metrics.ts'
import { routeKey } from './http/route-key.ts'
import { asTyped } from './http/typed.ts'
import { answerUnmatched } from './http/unmatched.ts'
import type { LiveContext } from './live/context.ts'
import { nodeSocket } from './live/node/socket.ts'
import { userSocket } from './live/user/socket.ts'
import { mcpRoutes } from './mcp/routes.ts'
import { MAX_NODE_FRAME_BYTES } from './protocol/node/node-frames.ts'
import type { Logger } from './util/logger.ts'
import { Origins } from './util/origins.ts'
import { ShownPaths } from './util/shown-path.ts'

/** The errors of paths outside of all contracts. */
const operations = defineContract({ ...runtime, language: 'en', errorBody: problem })

/** The contracts that have a document of their own. */
const CONTRACTS = [learning, portfolio, study, runtime, factory].map(({ name }) => name)

/** Which contract formats the error of an unmatched path, longest base URL first: docs/design.md, "Unmatched paths". */
const bases: [string, Contract][] = [
  ['/api/v1', defineContract({ ...runtime, language: 'en' })],
  ['/api', factory],
  ['/v1', portfolio],
  ['', operations],
]

/**
 * The largest frame that Bun reads into memory. Bun has one limit for all sockets, including those that have not signed in.
 * It is above the limit that each socket checks itself, so that a frame over that limit gets the socket's own close code.
 */
const MAX_PAYLOAD_BYTES = 2 * MAX_NODE_FRAME_BYTES

/** Every contract under its base URL, the sockets and the documentation. The app does not listen yet. */
export function createApp(ctx: LiveContext, deprecations: readonly Deprecation[] = DEPRECATIONS) {
  // Every chapter has the context as a decorator. Unless it is frozen, Elysia merges it with itself, field by field, each
  // time it mounts a chapter.
  Object.freeze(ctx)
  const limits = new RequestLimits(ctx)
  const maintenance = new Maintenance(ctx)
  const fields = new RouteFields(deprecations)
  const requestMetrics = new RequestMetrics(ctx.metrics)
  /** An instance whose errors the contract answers: its hooks cover the routes that the same instance mounts after them. */
  const base = <const P extends string>(contract: Contract, prefix: P) => {
    const instance = new Elysia({ prefix })
      .onError(({ error, request, route }) =>
        contract.errorResponse(error, request, ctx.log, fields.of(contract.headers, request.method, route)),
      )
      .onBeforeHandle(({ request, route, set }) => {
        Object.assign(set.headers, fields.of(contract.headers, request.method, route))
      })
    // Runs before the guard of a route, which is a `transform` too.
    return instance.onTransform(async ({ request, route, set }) => {
      if (contract.limit) await limits.checkRoute(route, { request, set })
      await maintenance.check(route, request)
    })
  }

  const paths = new ShownPaths()
  const origins = new Origins(ctx.config, ctx.log, paths)
  /** The models of the routes that read a body. */
  const bodies = new Map<string, TSchema>()
  const app = new Elysia({
    // `development` and `error`: when the answer to an error fails, Bun would send a page with the stack trace.
    // `maxRequestBodySize`: the readers of bodies have limits, and answer in the form of the contract.
    serve: {
      idleTimeout: IDLE_SECONDS,
      development: false,
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      error: (error) => answerUnsent(error, ctx.log),
    },
    // With the default, Elysia looks for the path after the eleventh character of the URL. With a Host of three letters the
    // path begins earlier.
    handler: { standardHostname: false },
    // With the default, Elysia changes a body before it validates it: a list or a string becomes an object, and is valid.
    normalize: 'typebox',
    // For all sockets. Bun closes a socket with 1009 when a frame is larger than `maxPayloadLength`.
    websocket: {
      maxPayloadLength: MAX_PAYLOAD_BYTES,
      backpressureLimit: 16 * 1024 * 1024,
      // Seconds. Longer than `live/keep-alive.ts` lets a socket be silent; that file also sends the pings.
      idleTimeout: 120,
      sendPings: false,
      perMessageDeflate: false,
    },
  })
    .use(requestLog(ctx.log, requestMetrics, paths))
    .onRequest(({ request }) => void origins.allows(request))
    .use(corsFor(ctx.config.allowedOrigins))
    // Replaces Elysia's parsers, which would read a form or a text of any size into memory. Null for a route without a
    // model of a body: the server does not read the body, and neither do Elysia's parsers.
    .onParse(async ({ request, contentType, route, set }) => {
      await limits.checkRoute(route, { request, set })
      await maintenance.check(route, request)
      const model = bodies.get(routeKey(request.method, route))
      return model ? asTyped(model, await readJsonBody(request, contentType)) : null
    })
    .use(docs((): AnyElysia => app, fields, ctx.config.publicUrl, CONTRACTS))
    .use(page(buildPage, ctx.config.s3?.publicUrl))
    .use(readyRoute(ctx))
    .use(base(operations, '').use(metricsRoute(ctx)).use(mcpRoutes(ctx, origins)))
    .use(base(learning, '').use(learningRootRoutes(ctx)))
    .use(base(learning, '/api/v1').use(learningRoutes(ctx)))
    .use(base(runtime, '/api/v1').use(runtimeRoutes(ctx)))
    .use(base(factory, '/api').use(studyFactoryRoutes(ctx)).use(studyRoutes(ctx)).use(factoryRoutes(ctx)))
    .use(base(portfolio, '/v1').use(portfolioRoutes(ctx)))
    .use(userSocket(ctx, origins, (request) => clientOf(ctx, request).ip))
    .use(nodeSocket(ctx, origins))
    // Mounted last, because it would otherwise answer in place of the contracts' `onError`.
    .onError(({ error, request, set }): Promise<Response> => {
      const optionsOf = (path: string) => resumableOptions(ctx, path)
      const checkLimit = async ({ limit }: Contract) => limit && limits.check(limit, { request, set })
      return answerUnmatched(app, bases, optionsOf, checkLimit, { error, request, log: ctx.log })
    })
  fields.check(app.routes)
  limits.learn(app)
  maintenance.learn(app)
  requestMetrics.learn(app)
  paths.learn(app)
  for (const { method, path, hooks } of app.routes)
    if (hooks.body) bodies.set(routeKey(method, path), hooks.body)
  return app
}

/** The answer when Bun could not send one, such as one whose file has been deleted in the meantime. */
function answerUnsent(error: Error, log: Logger): Response {
  const isGone = (error as { code?: string }).code === 'ENOENT'
  if (!isGone) log.error({ err: error }, 'an answer could not be sent')
  return new Response(null, { status: isGone ? 404 : 500, headers: { 'cache-control': 'no-store' } })
}

/** The header fields of an answer that pages of other origins may read. The library's default is those of the request. */
const EXPOSED_HEADERS = [
  ...HEADER_NAMES.map((name) => name.toLowerCase()),
  'allow',
  'api-deprecated',
  'api-sunset',
  'api-version',
  'deprecation',
  'sunset',
  'x-request-id',
]

/** Lets pages of the listed origins call the API. Without a list, answers have no CORS header fields. */
const corsFor = (origins: string[]) =>
  origins.length === 0
    ? new Elysia()
    : new Elysia()
        .use(
          cors({
            origin: origins.map(toMatcher),
            credentials: true,
            exposeHeaders: EXPOSED_HEADERS,
            // The plugin would answer every OPTIONS as a preflight, without `Allow`.
            preflight: false,
          }),
        )
        .onRequest(answerPreflight)

/** Seconds for which a browser remembers the answer to a preflight. */
const PREFLIGHT_SECONDS = 600

/** Answers a preflight (Fetch standard, "CORS protocol"). The plugin has set the header fields that depend on the origin. */
function answerPreflight({ request, set }: { request: Request; set: { headers: Record<string, unknown> } }) {
  const { method, headers } = request
  const wanted = headers.get('access-control-request-method')
  if (method !== 'OPTIONS' || !headers.has('origin') || wanted === null) return undefined
  Object.assign(set.headers, {
    'access-control-allow-methods': wanted,
    'access-control-allow-headers': headers.get('access-control-request-headers') ?? undefined,
    'access-control-max-age': String(PREFLIGHT_SECONDS),
  })
  return new Response(null, { status: 204 })
}

// The library would compare a string only with the end of the origin.
const toMatcher = (origin: string) => new RegExp(`^${origin.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`)
