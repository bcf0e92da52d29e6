import { PushStreamError } from '../errors.js'

/**
 * The error that `onerror` of the classic client gets.
 *
 * @example
 * ```ts
 * import { PushStream } from '@pushstream/core/classic'
 *
 * const pushstream = new PushStream()
 * pushstream.onerror = ({ type, message }) => console.warn(type === 'load' ? 'not connected' : 'lost', message)
 * ```
 */
export class ClassicError extends PushStreamError {
  /**
   * `timeout`: an open connection was lost, or showed no sign of life. `load`: no connection could be made, or the
   * server refused the channel.
   */
  readonly type: 'timeout' | 'load'

  constructor(type: 'timeout' | 'load', { code, message, channel, mode, status, cause }: PushStreamError) {
    super(code, message, { channel, mode, status, cause })
    this.type = type
  }
}
