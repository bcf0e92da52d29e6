/** How much of a path names may be: servers take 8 KB for a request line, proxies less. */
const pathRoom = 2000

const sizeOf = (name: string) => encodeURIComponent(name).length + 4

/** Channels that go into one request each. */
export function parcels(names: readonly string[], several: boolean): string[][] {
  const made: string[][] = []
  let room = 0
  for (const name of names) {
    const size = sizeOf(name)
    if (!several || made.length === 0 || size > room) {
      made.push([])
      room = pathRoom
    }
    made.at(-1)?.push(name)
    room -= size
  }
  return made
}
