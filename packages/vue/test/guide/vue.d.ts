declare module '*.vue' {
  import type { DefineComponent } from 'vue'

  const component: DefineComponent<{ user: number }>
  export default component
}
