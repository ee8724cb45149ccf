/** The routes of a contract as functions: `/materials/:id/like` with POST is `materials({ id }).like.post()`. */
import type { RoostError } from './error.ts'

interface Route {
  body: unknown
  params: unknown
  query: unknown
  headers: unknown
  response: unknown
}

/** What a call resolves to: `data` of a success, or `error`. A call never throws. */
export type Answer<T> =
  | { data: T; error: null; status: number; headers: Headers }
  | { data: null; error: RoostError; status: number; headers: Headers }

/**
 * An answer that is no JSON, such as a file, is a Blob. An answer without a body is undefined. Elysia has a form of its own for
 * 422, which the contracts replace.
 */
type DataOf<Answers> = [Exclude<keyof Answers, 422>] extends [never]
  ? undefined
  : [Exclude<Answers[Exclude<keyof Answers, 422>], Response>] extends [never]
    ? Blob
    : Exclude<Answers[Exclude<keyof Answers, 422>], Response>

interface CallOptions {
  headers?: Record<string, string>
  /** Ends the call, whose error has then the code `ABORTED`. */
  signal?: AbortSignal
}
/** With no field at all, which a type without required fields accepts. */
type Empty = Record<never, never>
type Options<Query> = CallOptions & (Empty extends Query ? { query?: Query } : { query: Query })
type OptionsArgument<R extends Route> = Empty extends R['query']
  ? [options?: Options<R['query']>]
  : [options: Options<R['query']>]
type BodyArgument<R extends Route> = R['body'] | FormData | Blob

type Call<R extends Route, Method> = Method extends 'get' | 'head'
  ? (...args: OptionsArgument<R>) => Promise<Answer<DataOf<R['response']>>>
  : Empty extends R['body']
    ? (body?: BodyArgument<R>, ...options: OptionsArgument<R>) => Promise<Answer<DataOf<R['response']>>>
    : (body: BodyArgument<R>, ...options: OptionsArgument<R>) => Promise<Answer<DataOf<R['response']>>>

type Both<Union> = (Union extends unknown ? (each: Union) => void : never) extends (all: infer All) => void
  ? All
  : never

type ParameterOf<Segment> = Segment extends `:${infer Name}` ? Name : never
/** `({ id }) => …` for a segment `:id`; for several at one place, one function for each. */
type WithParameter<Routes> = Both<
  {
    [Segment in keyof Routes & `:${string}`]: (
      parameter: Record<ParameterOf<Segment>, string | number>,
    ) => Tree<Routes[Segment]>
  }[keyof Routes & `:${string}`]
>

export type Tree<Routes> = {
  [Segment in keyof Routes as Segment extends `:${string}` ? never : Segment]: Routes[Segment] extends Route
    ? Call<Routes[Segment], Segment>
    : Tree<Routes[Segment]>
} & ([keyof Routes & `:${string}`] extends [never] ? unknown : WithParameter<Routes>)
