/**
 * `SEEN_FILE=… bun tests/support/unseen.ts`: lists the documented answers below 400 that no server gave, the documented header
 * fields of requests that no route read, and the documented frames that nobody sent, in the tests that ran with the same SEEN_FILE.
 * Fails when there is one.
 */
import { readFileSync } from 'node:fs'
import { documentedSockets, documentedTypes, type SocketName } from './asyncapi.ts'
import { documentedRequestHeaders, documentedRoutes } from './openapi.ts'
import { answerKey, frameKey, requestHeaderKey } from './seen.ts'

/** A socket's 101 is no answer that `fetch` gets. The frames below prove that it opens. */
const isAnswer = (status: string) => status >= '200' && status < '400'

const answers = documentedRoutes().flatMap(({ method, path, operation }) =>
  Object.keys(operation.responses)
    .filter(isAnswer)
    .map((status) => answerKey(method, path, status)),
)
const requestHeaders = documentedRoutes().flatMap((route) =>
  documentedRequestHeaders(route).map((name) => requestHeaderKey(route.method, route.path, name)),
)
const frames = (Object.keys(documentedSockets().channels) as SocketName[]).flatMap((socket) =>
  (['send', 'receive'] as const).flatMap((action) =>
    [...documentedTypes(socket, action)].map((type) => frameKey(socket, action, type)),
  ),
)

const seen = new Set(readFileSync(process.env.SEEN_FILE!, 'utf8').split('\n'))
const documented = [...answers, ...requestHeaders, ...frames]
const unseen = documented.filter((one) => !seen.has(one))
for (const one of unseen) console.log(`(fail) no test has seen ${one}`)
// In the form of the test runner.
console.log(` ${documented.length - unseen.length} pass\n ${unseen.length} fail`)
process.exit(unseen.length > 0 ? 1 : 0)
