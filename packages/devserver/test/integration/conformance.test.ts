import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { replay } from '../support/replay.js'
import { parseTranscript } from '../support/transcript.js'
import { OUT, SCENARIOS } from './scenarios.js'

const FIXTURES = new URL('../fixtures/push-stream/', import.meta.url)
const names = readdirSync(FIXTURES).map((file) => file.replace(/\.txt$/, ''))

describe('the module’s transcripts', () => {
  it('are all replayed, or listed as out with a reason', () => {
    expect([...Object.keys(SCENARIOS), ...Object.keys(OUT)].sort()).toEqual(names.sort())
  })

  it.each(Object.keys(SCENARIOS))('%s', async (name) => {
    const transcript = parseTranscript(readFileSync(new URL(`${name}.txt`, FIXTURES), 'utf8'))
    await replay(transcript, SCENARIOS[name]!)
  })
})
