/** The address of a path below `base`, or of an absolute address, with these arguments after its own. */
export function addressOf(base: string, path: string, args: readonly string[]): string {
  const { origin, pathname, search } = new URL(/^https?:/.test(path) ? path : `${base}/${path.replace(/^\/+/, '')}`)
  const query = [search.slice(1), ...args].filter(Boolean).join('&')
  return origin + pathname + (query && `?${query}`)
}

/** Arguments as they stand in an address. */
export const argumentsOf = (params: Record<string, string>): string[] =>
  Object.entries(params).map((pair) => pair.map(encodeURIComponent).join('='))
