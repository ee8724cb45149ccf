/** Like `useUnknownInCatchVariables`, for the callbacks of `catch`: TypeScript's library gives them an `any`. */
interface Promise<T> {
  catch<R = never>(onrejected?: ((reason: unknown) => R | PromiseLike<R>) | null): Promise<T | R>
}
