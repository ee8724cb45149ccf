import { cors } from '@elysiajs/cors'
import { type AnyElysia, Elysia, type TSchema } from 'elysia'
import { factory } from './contracts/factory/contract.ts'
import { factoryRoutes } from './contracts/factory/index.ts'
import { learning } from './contracts/learning/contract.ts'
import { learningRootRoutes, learningRoutes } from './contracts/learning/index.ts'
import { portfolio } from './contracts/portfolio/contract.ts'
import { runtime } from './contracts/runtime/contract.ts'
import { runtimeRoutes } from './contracts/runtime/index.ts'
import { studyFactoryRoutes } from './contracts/study-factory/index.ts'
import { clientOf } from './http/client.ts'
import { type Contract, defineContract } from './http/contract.ts'
import { docs } from './http/docs.ts'
import { IDLE_SECONDS } from './http/idle.ts'
import { readJsonBody } from './http/json-body.ts'
import { problem } from './http/problem.ts'
import { readyRoute } from './http/ready.ts'
import { requestLog } from './http/request-log.ts'
import { asTyped } from './http/typed.ts'
import { answerUnmatched } from './http/unmatched.ts'
import type { LiveContext } from './live/context.ts'
import { nodeSocket } from './live/node/socket.ts'
import { userSocket } from './live/user/socket.ts'
import { MAX_NODE_FRAME_BYTES } from './protocol/node/node-frames.ts'
import type { Logger } from './util/logger.ts'
import { Origins } from './util/origins.ts'

/** Which contract formats the error of an unmatched path, longest base URL first: docs/design.md, "Unmatched paths". */
const bases: [string, Contract][] = [
  ['/api/v1', defineContract({ ...runtime, language: 'en' })],
  ['/api', factory],
  ['/v1', portfolio],
  ['', defineContract({ ...runtime, language: 'en', errorBody: problem })],
]

/**
 * The largest frame that is taken into memory, of sockets that have not signed in too: Bun knows one limit for all.
 * Above every socket's own limit, so that its code answers.
 */
const MAX_PAYLOAD_BYTES = 2 * MAX_NODE_FRAME_BYTES

/** The whole server, not yet listening: every contract under its base URL, the sockets and the documentation. */
export function createApp(ctx: LiveContext) {
  // Chapters share the context as a decorator, and Elysia would merge it with itself, field by field, each time one is mounted.
  Object.freeze(ctx)
  /** A contract answers its own errors; an `onError` covers the routes mounted after it, in its own instance. */
  const contract = <const P extends string>(manners: Contract, prefix: P) =>
    new Elysia({ prefix }).onError(({ error, request }) => manners.errorResponse(error, request, ctx.log))

  const origins = new Origins(ctx.config, ctx.log)
  /** The models of the routes that read a body. */
  const bodies = new Map<string, TSchema>()
  const app = new Elysia({
    // No page of Bun's own, with its stack trace, should an answer to an error fail.
    // Bodies have limits of their own, which answer in the form of the contract.
    serve: {
      idleTimeout: IDLE_SECONDS,
      development: false,
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      error: (error) => answerUnsent(error, ctx.log),
    },
    // The default looks for the path behind the eleventh character of the URL: a Host of three letters is shorter.
    handler: { standardHostname: false },
    // The default reshapes a body before it checks it: a list or a string becomes an object, and passes.
    normalize: 'typebox',
    // Every socket of the server shares these. Frames over a socket's own limit get a close code that says so; larger
    // ones than these are cut off with 1009, for a socket that has not signed in may send them too.
    websocket: {
      maxPayloadLength: MAX_PAYLOAD_BYTES,
      backpressureLimit: 16 * 1024 * 1024,
      // Above what `live/keep-alive.ts` allows, which pings.
      idleTimeout: 120,
      sendPings: false,
      perMessageDeflate: false,
    },
  })
    .use(requestLog(ctx.log))
    .onRequest(({ request }) => void origins.allows(request))
    .use(corsFor(ctx.config.allowedOrigins))
    // For every body: Elysia's own parsers would read a form or a text of any size into memory. A body that its route has
    // no use for is not looked at, and null keeps those parsers from it too.
    .onParse(async ({ request, contentType, route }) => {
      const model = bodies.get(`${request.method} ${route}`)
      return model ? asTyped(model, await readJsonBody(request, contentType)) : null
    })
    .use(docs((): AnyElysia => app, ctx.config.publicUrl))
    .get('/', ({ redirect }) => redirect('/api/docs'), { detail: { hide: true } })
    .use(readyRoute(ctx))
    .use(contract(learning, '').use(learningRootRoutes(ctx)))
    .use(contract(learning, '/api/v1').use(learningRoutes(ctx)))
    .use(contract(runtime, '/api/v1').use(runtimeRoutes(ctx)))
    .use(contract(factory, '/api').use(studyFactoryRoutes(ctx)).use(factoryRoutes(ctx)))
    .use(userSocket(ctx, origins, (request, server) => clientOf(ctx, request, server).ip))
    .use(nodeSocket(ctx, origins))
    // Last: an `onError` of the root would otherwise answer in place of the contracts'.
    .onError(({ error, request }): Response => answerUnmatched(app, bases, { error, request, log: ctx.log }))
  for (const { method, path, hooks } of app.routes)
    if (hooks.body) bodies.set(`${method} ${path}`, hooks.body)
  return app
}

/** Bun could not send an answer that was decided: of a file, because it has been deleted since. */
function answerUnsent(error: Error, log: Logger): Response {
  const isGone = (error as { code?: string }).code === 'ENOENT'
  if (!isGone) log.error({ err: error }, 'an answer could not be sent')
  return new Response(null, { status: isGone ? 404 : 500, headers: { 'cache-control': 'no-store' } })
}

/** What pages of other origins may read of an answer beside its body; the library's default is what was asked with. */
const EXPOSED_HEADERS = [
  ...['accept-ranges', 'allow', 'content-disposition', 'content-range', 'etag'],
  ...['link', 'retry-after', 'x-request-id'],
]

/** Browsers of other origins may call the API when they are listed; without a list nothing is added. */
const corsFor = (origins: string[]) =>
  origins.length === 0
    ? new Elysia()
    : cors({ origin: origins.map(toMatcher), credentials: true, maxAge: 600, exposeHeaders: EXPOSED_HEADERS })

// A plain string would match by its end only.
const toMatcher = (origin: string) => new RegExp(`^${origin.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`)
