/** Gets the answer as text. */
export type Success = (answer?: string) => void
/** Gets the status of the answer, or 0 if there was none. */
export type Failure = (status: number) => void

/** Calls a callback of the page. If it throws, the browser reports an uncaught error. */
export function guarded<T extends readonly unknown[]>(
  callback: ((...values: T) => void) | null | undefined,
  ...values: T
): void {
  try {
    callback?.(...values)
  } catch (cause) {
    setTimeout(() => {
      throw cause
    }, 0)
  }
}

/** Publishes a text to the module's publisher: percent-encoded, with a JSON answer. */
export async function post(
  request: typeof fetch,
  url: string,
  text: string,
  success?: Success | null,
  failure?: Failure | null,
): Promise<void> {
  let status = 0
  let answer: string | undefined
  try {
    const response = await request(url, {
      method: 'POST',
      headers: { Accept: 'application/json', 'Content-Type': 'application/x-www-form-urlencoded' },
      body: encodeURIComponent(text),
    })
    if (response.status === 200) answer = await response.text()
    status = response.status
  } catch {
    // No answer, or not all of it: the status is 0.
  }
  if (answer === undefined) guarded(failure, status)
  else guarded(success, answer)
}
