/** What a request of the typed client gives: its data, or what went wrong. */
interface Answer<T> {
  data: T | null
  error: unknown
}

/**
 * The data of an answer.
 * @throws RoostError when the server refused the request; TypeError when it cannot be reached
 */
export async function must<T>(request: Promise<Answer<T>>): Promise<NonNullable<T>> {
  const { data, error } = await request
  if (error) throw error
  return data as NonNullable<T>
}
