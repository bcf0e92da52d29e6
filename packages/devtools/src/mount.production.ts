// In builds for production nothing is mounted, and no code of the devtools is reached.

/** Does nothing in production. */
export const defineDevtools = (): void => {}

/** Does nothing in production. */
export const mountDevtools = (): (() => void) => () => {}
