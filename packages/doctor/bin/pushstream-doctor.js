#!/usr/bin/env node
import { existsSync } from 'node:fs'

const command = new URL('../dist/cli.js', import.meta.url)
// The package has it. A checkout of the repository builds it first.
if (!existsSync(command)) await import('../../../scripts/build-first.mjs')
await import(command)
