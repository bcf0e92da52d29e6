/** A part of the panel. */
export interface View {
  readonly title: string
  readonly node: HTMLElement
  /** Shows what has changed. Called only while it is visible. */
  draw(now: number): void
}
