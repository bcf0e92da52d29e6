// Imported first by every script that a fresh clone runs: says so when Node is too old, before anything newer is used.
const [major, minor] = process.versions.node.split('.').map(Number)

if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`PushStream needs Node 20.19 or newer. This is ${process.version}: see https://nodejs.org.`)
  process.exit(1)
}
