import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { missingProgram, program } from './programs.js'

/** Why no certificate can be created here; `undefined` if one can. */
export const missingCertificate = (): string | undefined => missingProgram('openssl')

/** The files of a self-signed certificate for 127.0.0.1. */
export interface Certificate {
  readonly certificate: string
  readonly key: string
  close(): Promise<void>
}

export async function makeCertificate(): Promise<Certificate> {
  const openssl = program('openssl')
  if (openssl === undefined) throw new Error(missingCertificate())
  const dir = await mkdtemp(join(tmpdir(), 'pushstream-certificate-'))
  const files = { certificate: join(dir, 'certificate.pem'), key: join(dir, 'key.pem') }
  const names = 'subjectAltName=IP:127.0.0.1,DNS:localhost'
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const place = ['-subj', '/CN=localhost', '-addext', names, '-keyout', files.key, '-out', files.certificate]
  await promisify(execFile)(openssl, ['req', '-x509', ...kind, ...place])
  return { ...files, close: () => rm(dir, { recursive: true, force: true }) }
}
