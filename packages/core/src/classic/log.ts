/** The log levels, most verbose first: each includes those after it. */
export type LogLevel = 'debug' | 'info' | 'error'

/** The page's settings: how much is logged, and into which element. */
export interface LogSettings {
  LOG_LEVEL: string
  LOG_OUTPUT_ELEMENT_ID: string
}

const verbosity: Record<string, number> = { error: 0, info: 1, debug: 2 }
/** How many lines the page's element keeps. */
const kept = 100

function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null || value instanceof Error) return String(value)
  try {
    return JSON.stringify(value)
  } catch {
    return String(value)
  }
}

/** Writes a line to the console and to the page's element, if it has one. As text: a message may contain HTML. */
export function log(settings: LogSettings, level: LogLevel, ...values: readonly unknown[]): void {
  if ((verbosity[level] as number) > (verbosity[settings.LOG_LEVEL] ?? 0)) return
  console.log(...values)
  const element = typeof document === 'undefined' ? null : document.getElementById(settings.LOG_OUTPUT_ELEMENT_ID)
  if (element === null) return
  const lines = `${element.textContent}${values.map(textOf).join(' ')}\n`.split('\n')
  element.textContent = lines.slice(-kept - 1).join('\n')
}
