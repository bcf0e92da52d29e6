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
export function post(
  request: typeof fetch,
  url: string,
  text: string,
  success?: Success | null,
  failure?: Failure | null,
): void {
  const send = async (): Promise<() => void> => {
    const response = await request(url, {
      method: 'POST',
      headers: { Accept: 'application/json', 'Content-Type': 'application/x-www-form-urlencoded' },
      body: encodeURIComponent(text),
    })
    const { status } = response
    if (status !== 200) return () => guarded(failure, status)
    const answer = await response.text()
    return () => guarded(success, answer)
  }
  send().then(
    (tell) => tell(),
    () => guarded(failure, 0),
  )
}
