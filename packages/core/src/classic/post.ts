/** The page gets the answer as text. */
export type Success = (answer?: string) => void
/** The page gets the answer's status; 0 where there was none. */
export type Failure = (status: number) => void

/** An error of the page's own callback goes where errors nobody catches go. */
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

/** Publishes a text the way the module's publisher wants it: percent-encoded, and JSON for an answer. */
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
